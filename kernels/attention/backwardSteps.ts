// The gradient of one whole attention as a list of kernels. As forward, the keys and values of a sequence rotate round the
// ring of its R rows, now with their gradients, to which each row adds what its queries give; after the full turn the
// gradients come home. The scores of each tile are taken again, since the probabilities of all tiles do not fit.
// Kept from forward: queries as attentionStart scaled them, keys and values where its last rotation left them, which is one
// position short of home, output, maxima, and reciprocal sums.

import type { Machine } from '../../emulator/machine/spec.ts';
import { elementwise } from '../elementwise.ts';
import type { LocalShape } from '../local.ts';
import type { RingShiftShape } from '../ringShift.ts';
import type { AttentionDeltaShape } from './delta.ts';
import type { AttentionGatherBothShape } from './gatherBoth.ts';
import type { AttentionGradientsShape } from './gradients.ts';
import type { AttentionScoresShape } from './scores.ts';
import type { AttentionSoftmaxBackwardShape } from './softmaxBackward.ts';
import { type AttentionCase, attentionShift, layoutOf, rowsPerSequence } from './steps.ts';

export type BackwardTileShape =
  | AttentionScoresShape
  | AttentionSoftmaxBackwardShape
  | AttentionGatherBothShape
  | AttentionGradientsShape;

export type AttentionBackwardShape = LocalShape | AttentionDeltaShape | BackwardTileShape | RingShiftShape;

/** The operator whose gradient a step belongs to; the queries are scaled with their positions. */
export type AttentionPart = 'position' | 'scores' | 'softmax' | 'values';

interface Part<Shape> {
  readonly shape: Shape;
  readonly part: AttentionPart;
}

export interface AttentionBackwardStep extends Part<AttentionBackwardShape> {
  readonly repeat: number;
}

/** The gradients by queries, keys and values are set to nothing, local. */
export function attentionBackwardStart(attention: AttentionCase, { core }: Machine): LocalShape {
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const slots = 3 * headsPerColumn * features * Math.ceil(attention.tokens / core.simdFp16);
  return { kernel: 'local', rows: 1, cols: headCols, slots };
}

export function attentionBackwardDelta(attention: AttentionCase): AttentionDeltaShape {
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const { tokens, accumulate } = attention;
  const rectangle = { rows: 1, cols: headCols, groups: 1, headCols };
  return { kernel: 'attentionDelta', ...rectangle, headsPerColumn, features, tokens, accumulate };
}

/**
 * Kernels of one rotation in the order in which they run. The scores come twice for each tile: of queries and keys, and,
 * for 'values', of the gradient of the output and the values.
 */
export function* attentionBackwardRotation(attention: AttentionCase): Generator<Part<BackwardTileShape>> {
  const { tokens, keyBlock, causal, accumulate } = attention;
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const rectangle = { rows: 1, cols: headCols, groups: 1, headCols, headsPerColumn, tokens, causal };
  for (let firstKey = 0; firstKey < tokens; firstKey += keyBlock) {
    const tile = { ...rectangle, firstKey, keys: Math.min(keyBlock, tokens - firstKey) };
    const products = { kernel: 'attentionScores', ...tile, features, accumulate } as const;
    yield { shape: products, part: 'scores' };
    yield { shape: products, part: 'values' };
    yield { shape: { kernel: 'attentionSoftmaxBackward', ...tile }, part: 'softmax' };
    if (headCols > 1) yield { shape: { kernel: 'attentionGatherBoth', ...tile }, part: 'softmax' };
    yield { shape: { kernel: 'attentionGradients', of: 'values', ...tile, features }, part: 'values' };
    yield { shape: { kernel: 'attentionGradients', of: 'scores', ...tile, features }, part: 'scores' };
  }
}

/**
 * Keys, values and their gradients go one position on in one block. Keys and values alone come home before the first
 * rotation, and the gradients alone after the last: attentionShift.
 */
export function attentionBackwardShift(attention: AttentionCase): RingShiftShape {
  const shift = attentionShift(attention);
  return { ...shift, wavelets: 2 * shift.wavelets };
}

/** The gradient by the queries before they were scaled, local. */
export function attentionBackwardEnd(attention: AttentionCase, machine: Machine): LocalShape {
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const extent = { rows: 1, cols: headCols, features: headsPerColumn * features, tokens: attention.tokens };
  return elementwise('scale', extent, machine);
}

/** How often each kernel of the gradient of one attention runs. */
export function attentionBackwardSteps(attention: AttentionCase, machine: Machine): AttentionBackwardStep[] {
  const rotations = rowsPerSequence(attention);
  const home = { shape: attentionShift(attention), part: 'scores', repeat: rotations > 1 ? 1 : 0 } as const;
  const steps: AttentionBackwardStep[] = [
    home,
    { shape: attentionBackwardStart(attention, machine), part: 'values', repeat: 1 },
    { shape: attentionBackwardDelta(attention), part: 'values', repeat: 1 },
    ...Array.from(attentionBackwardRotation(attention), (each) => ({ ...each, repeat: rotations })),
    { shape: attentionBackwardShift(attention), part: 'scores', repeat: rotations - 1 },
    home,
    { shape: attentionBackwardEnd(attention, machine), part: 'position', repeat: 1 },
  ];
  return steps.filter(({ repeat }) => repeat > 0);
}

export interface AttentionBackwardSram {
  /** Scaled queries, output, and the gradients by the output and the queries. */
  readonly queries: number;
  /** Keys, values and their gradients, twice where a sequence takes more than one row. */
  readonly keysAndValues: number;
  /** Of scores and of their gradients. */
  readonly tiles: number;
  /** Maxima, reciprocal sums, and what the gradient of the softmax takes off. */
  readonly state: number;
}

/** What it takes of a PE's SRAM, in bytes. */
export function attentionBackwardSram(attention: AttentionCase): AttentionBackwardSram {
  const { tokens, keyBlock, accumulate } = attention;
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const bytesOfSum = accumulate === 'fp16' ? 2 : 4;
  const vectors = 2 * headsPerColumn * features * tokens;
  const blocks = rowsPerSequence(attention) > 1 ? 2 : 1;
  const state = 2 * Math.ceil(tokens / headCols) + 2 * tokens + bytesOfSum * tokens;
  return {
    queries: 4 * vectors,
    keysAndValues: blocks * 4 * vectors,
    tiles: 2 * headsPerColumn * Math.min(keyBlock, tokens) * tokens * bytesOfSum,
    state: headsPerColumn * state,
  };
}
