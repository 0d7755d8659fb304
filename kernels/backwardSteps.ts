// The gradient of each operator but matmuls and attention (attention/backwardSteps.ts) as a list of kernels in the order in
// which they run. A gradient lies where its activation lies, so nothing is laid anew.

import type { Machine } from '../emulator/machine/spec.ts';
import type { AffineShape } from './affine.ts';
import type { BroadcastShape } from './broadcast.ts';
import type { ColumnReduceShape } from './columnReduce.ts';
import { type Gap, streamGap } from './edge.ts';
import { elementwise } from './elementwise.ts';
import { featureSums, type SummedGradients, sumsOf } from './featureSums.ts';
import type { LayerNormShape } from './layerNorm.ts';
import type { LayerNormBackwardShape } from './layerNormBackward.ts';
import type { LocalShape } from './local.ts';
import { type LogitGradientShape, TARGET_WORDS } from './logitGradient.ts';
import type { LogitScaleShape } from './logitScale.ts';
import type { RowStreamShape } from './rowStream.ts';

/** Groups of C columns and `rows` rows, T tokens a PE, sequences on `rowsPerSequence` rows each. */
export interface WaferExtent {
  readonly groups: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowsPerSequence: number;
  readonly tokens: number;
}

export type BackwardShape =
  | AffineShape
  | BroadcastShape
  | ColumnReduceShape
  | LayerNormBackwardShape
  | LocalShape
  | LogitGradientShape
  | LogitScaleShape
  | RowStreamShape;

export interface BackwardStep {
  readonly shape: BackwardShape;
  /** What each rectangle is of, which says how many cover the wafer: PEs, columns of groups, rows of groups, groups. */
  readonly copies: 'pe' | 'column' | 'row' | 'group';
}

const ONE_PE = { rows: 1, cols: 1 } as const;

/** Pace of what leaves: all columns of all groups at once, as groups are added outside. */
function outwardGap(machine: Machine, { groups, columns }: WaferExtent): Gap {
  return streamGap(machine, groups * columns);
}

function leaving(wavelets: number, machine: Machine, extent: WaferExtent): BackwardStep {
  const { rows } = extent;
  const shape = { kernel: 'columnReduce', rows, cols: 1, wavelets, gap: outwardGap(machine, extent) } as const;
  return { shape, copies: 'column' };
}

/** Sums over all tokens of `features` features of a column: those of a PE, and then over the rows. */
function summed(of: SummedGradients, features: number, machine: Machine, extent: WaferExtent): BackwardStep[] {
  const shape = featureSums(of, { ...ONE_PE, features, tokens: extent.tokens }, machine);
  return [{ shape, copies: 'pe' }, leaving(sumsOf(of) * features, machine, extent)];
}

/** Of the bias of a linear layer with so many output features on a column. */
export function biasBackward(features: number, machine: Machine, extent: WaferExtent): BackwardStep[] {
  return summed('bias', features, machine, extent);
}

/** Needs the normalised activations and the reciprocal deviations of forward. */
export function normBackward(
  { width, kind, bias }: Pick<LayerNormShape, 'width' | 'kind'> & { readonly bias: boolean },
  machine: Machine,
  extent: WaferExtent,
): BackwardStep[] {
  const { columns: cols, tokens } = extent;
  const features = Math.ceil(width / cols);
  const gap = streamGap(machine, cols);
  return [
    ...summed(bias ? 'gainAndBias' : 'gain', features, machine, extent),
    // The gain, as a scale without a shift.
    { shape: { kernel: 'affine', ...ONE_PE, features, tokens, gap }, copies: 'column' },
    { shape: { kernel: 'layerNormBackward', rows: 1, cols, width, features, tokens, kind }, copies: 'row' },
  ];
}

/** Needs the inputs of forward. */
export function activationBackward(
  activation: 'gelu' | 'relu' | 'swiglu',
  features: number,
  machine: Machine,
  { columns, tokens }: WaferExtent,
): BackwardStep[] {
  const extent = { ...ONE_PE, features: Math.ceil(features / columns), tokens };
  return [{ shape: elementwise(`${activation}Backward`, extent, machine), copies: 'pe' }];
}

/** The gradient by a branch's input is added to that by the stream it came from; the branch's output takes it as it is. */
export function residualBackward(width: number, machine: Machine, { columns, tokens }: WaferExtent): BackwardStep[] {
  const extent = { ...ONE_PE, features: Math.ceil(width / columns), tokens };
  return [{ shape: elementwise('residual', extent, machine), copies: 'pe' }];
}

/** The row of each token leaves; learned positions are summed over the sequences of a column first. */
export function embeddingBackward(
  { width, learnedPositions }: { readonly width: number; readonly learnedPositions: boolean },
  machine: Machine,
  extent: WaferExtent,
): BackwardStep[] {
  const { columns, rows, rowsPerSequence, tokens } = extent;
  const perToken = Math.ceil(Math.ceil(width / columns) / 2);
  const steps = [leaving(rows * tokens * perToken, machine, extent)];
  if (learnedPositions) steps.push(leaving(rowsPerSequence * tokens * perToken, machine, extent));
  return steps;
}

/**
 * Before the gradients of the slices of the LM head: the targets, with the weights of their losses, come in on the first
 * column of each group and go east, and the reciprocal sums go west.
 */
export function lossStart(machine: Machine, { groups, columns, rows, tokens }: WaferExtent): BackwardStep[] {
  const perToken = Math.ceil(TARGET_WORDS / 2);
  const targets: RowStreamShape = {
    kernel: 'rowStream',
    ...ONE_PE,
    tokens,
    perToken,
    total: rows * tokens * perToken,
    order: { by: 'tokens' },
    gap: streamGap(machine, groups),
  };
  return [
    { shape: targets, copies: 'group' },
    { shape: { kernel: 'broadcast', width: columns, wavelets: TARGET_WORDS * tokens, toward: 'east' }, copies: 'row' },
    { shape: { kernel: 'logitScale', rows: 1, cols: columns, tokens }, copies: 'row' },
  ];
}

/** Of a slice of the vocabulary whose logits are there again; the gradients of its matmul follow. */
export function lossBackward(slice: number, { columns, tokens }: WaferExtent): BackwardStep[] {
  const shape = { kernel: 'logitGradient', ...ONE_PE, features: Math.ceil(slice / columns), tokens } as const;
  return [{ shape, copies: 'pe' }];
}
