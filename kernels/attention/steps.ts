// One whole attention as a list of kernels. The keys and values of a sequence rotate round the ring of its R rows; at
// each rotation a row works on the block it holds, tile by tile; its own block comes first, so that every query has seen
// a key before one of its scores is masked. Shapes are of the smallest rectangle that shows all: one head (or the heads
// of one column) on one row, and one ring of rows.

import type { Machine } from '../../emulator/machine/spec.ts';
import type { LocalShape } from '../local.ts';
import type { RingShiftShape } from '../ringShift.ts';
import type { AttentionGatherShape } from './gather.ts';
import { type HeadLayout, headLayout } from './layout.ts';
import type { AttentionNormaliseShape } from './normalise.ts';
import type { AttentionScoresShape } from './scores.ts';
import type { AttentionSoftmaxShape } from './softmax.ts';
import { attentionStart } from './start.ts';
import type { AttentionValuesShape } from './values.ts';

export interface AttentionCase {
  readonly heads: number;
  readonly headDim: number;
  readonly cols: number;
  readonly tokens: number;
  /** Tokens of a sequence; it takes ceil(sequence / tokens) rows. */
  readonly sequence: number;
  /** Keys of a tile; the last one of a block may have fewer. */
  readonly keyBlock: number;
  readonly causal: boolean;
  readonly accumulate: 'fp16' | 'fp32';
  /** Rotary positions turn pairs of features, which then share a column. */
  readonly pairs?: boolean;
}

export type TileShape = AttentionScoresShape | AttentionSoftmaxShape | AttentionGatherShape | AttentionValuesShape;

export type AttentionStepShape = LocalShape | TileShape | RingShiftShape | AttentionNormaliseShape;

export interface AttentionStep {
  readonly shape: AttentionStepShape;
  readonly repeat: number;
}

export function layoutOf({ heads, headDim, cols, pairs = false }: AttentionCase): HeadLayout {
  return headLayout(heads, headDim, cols, pairs);
}

export function rowsPerSequence({ sequence, tokens }: AttentionCase): number {
  return Math.ceil(sequence / tokens);
}

/** Kernels of one rotation in the order in which they run: the tiles of the block that the row holds. */
export function* attentionRotation(attention: AttentionCase): Generator<TileShape> {
  const { tokens, keyBlock, causal, accumulate } = attention;
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const rectangle = { rows: 1, cols: headCols, groups: 1, headCols, headsPerColumn, tokens, causal };
  for (let firstKey = 0; firstKey < tokens; firstKey += keyBlock) {
    const tile = { ...rectangle, firstKey, keys: Math.min(keyBlock, tokens - firstKey) };
    yield { kernel: 'attentionScores', ...tile, features, accumulate };
    yield { kernel: 'attentionSoftmax', ...tile };
    if (headCols > 1) yield { kernel: 'attentionGather', ...tile };
    yield { kernel: 'attentionValues', ...tile, features };
  }
}

/** Keys and values of the row go one position on, in one block. */
export function attentionShift(attention: AttentionCase): RingShiftShape {
  const { headsPerColumn, features } = layoutOf(attention);
  const wavelets = headsPerColumn * features * attention.tokens;
  return {
    kernel: 'ringShift',
    size: rowsPerSequence(attention),
    along: 'column',
    wavelets,
    ringsX: 1,
    ringsY: 1,
  };
}

export function attentionEnd(attention: AttentionCase): AttentionNormaliseShape {
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const { tokens } = attention;
  return {
    kernel: 'attentionNormalise',
    rows: 1,
    cols: headCols,
    groups: 1,
    headCols,
    headsPerColumn,
    features,
    tokens,
  };
}

/** How often each kernel of one attention runs, its queries, keys and values in place. */
export function attentionSteps(attention: AttentionCase, machine: Machine): AttentionStep[] {
  const rotations = rowsPerSequence(attention);
  const steps: AttentionStep[] = [
    { shape: attentionStart(layoutOf(attention), attention.tokens, machine), repeat: 1 },
    ...Array.from(attentionRotation(attention), (shape) => ({ shape, repeat: rotations })),
    { shape: attentionShift(attention), repeat: rotations - 1 },
    { shape: attentionEnd(attention), repeat: 1 },
  ];
  return steps.filter(({ repeat }) => repeat > 0);
}
