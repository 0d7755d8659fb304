// What each operator is made of: its kernels in the order they run, with a barrier between any two. One entry an operator
// kind; an operator without kernels does not get past here.

import { inputError, internalError } from '../../emulator/errors.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { elementwise } from '../../kernels/elementwise.ts';
import { attentionEnd, attentionRotation, attentionShift, layoutOf } from '../../kernels/attention/steps.ts';
import { attentionStart } from '../../kernels/attention/start.ts';
import { accumulatorsOf, type MatmulName } from '../../kernels/spmm/accumulators.ts';
import { localFeatures } from '../../kernels/spmm/layout.ts';
import type { PlacedWeights } from '../../kernels/spmm/placed.ts';
import type { Graph, GraphNode, Operator } from '../graph/graph.ts';
import { streamGap } from '../../kernels/edge.ts';
import { attentionCase, linearLayouts, residualLayout } from '../mapping/layouts.ts';
import { rotaryFeatures } from '../mapping/memory.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { MatmulStep, ProgramStep, StepShape } from './program.ts';

export interface LowerContext {
  readonly graph: Graph;
  readonly machine: Machine;
  readonly mapping: Mapping;
}

export type OperatorOf<Kind extends Operator['kind']> = Extract<Operator, { kind: Kind }>;

/** One PE stands for all: kernels without fabric, and streams that every column has a like one of. */
export const ONE_PE = { rows: 1, cols: 1 } as const;

/** Rectangles of a shape on the wafer: of one PE, one column (folded), one row of a group, a group (folded). */
export function copiesOf({ groups, rows, columns }: Mapping): Record<'pe' | 'column' | 'row' | 'group', number> {
  return { pe: groups * rows * columns, column: groups * columns, row: groups * rows, group: groups };
}

export function once(shape: StepShape, copies: number): ProgramStep {
  return { shape, repeat: 1, copies };
}

export function stepsOf(node: GraphNode, context: LowerContext): ProgramStep[] {
  const { operator } = node;
  const { machine, mapping } = context;
  const { columns, tokensPerPe: tokens } = mapping;
  const local = (features: number): number => Math.ceil(features / columns);
  const copies = copiesOf(mapping);
  switch (operator.kind) {
    case 'embedding':
      return embeddingSteps(operator, context);
    case 'norm': {
      const features = local(operator.width);
      const { norm: kind, width } = operator;
      return [
        once({ kernel: 'layerNorm', rows: 1, cols: columns, width, features, tokens, kind }, copies.row),
        affineStep(features, context),
      ];
    }
    case 'linear':
      return linearSteps(node.id, operator, context);
    case 'position':
      return positionSteps(operator, context);
    case 'scores': {
      const attention = attentionCase(operator, context.graph, mapping);
      const { groups, headCols } = layoutOf(attention);
      const rings = (copies.group * groups * headCols * mapping.rows) / mapping.rowsPerSequence;
      const shifts = mapping.rowsPerSequence - 1;
      const shift = shifts > 0 ? [{ shape: attentionShift(attention), repeat: shifts, copies: rings }] : [];
      return [...shift, ...tileSteps(operator, context, ['attentionScores'])];
    }
    case 'softmax':
      return tileSteps(operator, context, ['attentionSoftmax']);
    case 'values': {
      const attention = attentionCase(operator, context.graph, mapping);
      return [
        ...tileSteps(operator, context, ['attentionGather', 'attentionValues']),
        once(attentionEnd(attention), copies.row * layoutOf(attention).groups),
      ];
    }
    case 'activation':
      return [
        once(
          elementwise(operator.activation, { ...ONE_PE, features: local(operator.features), tokens }, machine),
          copies.pe,
        ),
      ];
    case 'residual': {
      const features = localFeatures(residualLayout(node, operator.width, context.graph), columns);
      return [addition(features, context)];
    }
    case 'lmHead':
      return headSteps(operator, context);
  }
}

/** Token rows go to one row of one group each; position rows are the same for all groups. Padding streams as the rest. */
function embeddingSteps({ width, positions }: OperatorOf<'embedding'>, context: LowerContext): ProgramStep[] {
  const { graph, machine, mapping } = context;
  const { columns, groups, rows, rowsPerSequence, tokensPerPe: tokens } = mapping;
  const perToken = Math.ceil(Math.ceil(width / columns) / 2);
  const stream = { kernel: 'rowStream', ...ONE_PE, tokens } as const;
  const copies = copiesOf(mapping).column;
  const table = (wavelets: number): ProgramStep =>
    once(
      {
        ...stream,
        perToken: wavelets,
        total: rowsPerSequence * tokens * wavelets,
        order: { by: 'positions', rowsPerSequence },
        gap: streamGap(machine, columns),
      },
      copies,
    );
  const steps = [
    once(
      {
        ...stream,
        perToken,
        total: rows * tokens * perToken,
        order: { by: 'tokens' },
        gap: streamGap(machine, groups * columns),
      },
      copies,
    ),
  ];
  if (positions === 'learned') steps.push(table(perToken));
  const turned = graph.nodes.find(({ operator }) => operator.kind === 'position')?.operator;
  if (positions === 'rotary' && turned?.kind === 'position')
    steps.push(table(Math.ceil(rotaryFeatures(turned, graph, mapping) / 2)));
  if (positions === 'alibi')
    throw inputError(
      'positions "alibi" have no kernel in this version, got "alibi", allowed "learned", "rotary" or "none"',
    );
  return steps;
}

/** To so many features of a column as many are added. */
export function addition(features: number, { machine, mapping }: LowerContext): ProgramStep {
  const extent = { ...ONE_PE, features, tokens: mapping.tokensPerPe };
  return once(elementwise('residual', extent, machine), copiesOf(mapping).pe);
}

/** Gain and bias, or the bias of a linear layer: a wavelet for each feature of a column. */
export function affineStep(features: number, { machine, mapping }: LowerContext): ProgramStep {
  const { columns, tokensPerPe: tokens } = mapping;
  const shape = { kernel: 'affine', ...ONE_PE, features, tokens, gap: streamGap(machine, columns) } as const;
  return once(shape, copiesOf(mapping).column);
}

function linearSteps(id: string, operator: OperatorOf<'linear'>, context: LowerContext): ProgramStep[] {
  const { mapping } = context;
  const weights = placedWeights(id, operator, context);
  const steps = [once(matmul(operator.weight, weights, context), mapping.groups)];
  if (operator.bias) steps.push(affineStep(localFeatures(weights.output, mapping.columns), context));
  return steps;
}

/** The matrix of a linear operator as it lies for the forward pass. */
export function placedWeights(id: string, operator: OperatorOf<'linear'>, { graph }: LowerContext): PlacedWeights {
  const { input, output } = linearLayouts(operator, graph);
  const { sparsity, seed } = operator;
  // A dense matrix is the same whatever its name and seed, so that equal work is seen to be equal.
  const named = sparsity === 0 ? DENSE : { name: id, seed };
  return { mask: { ...named, sparsity, rows: operator.out, width: operator.in }, input, output };
}

export const DENSE = { name: 'dense', seed: 0 } as const;

export function matmul(
  name: MatmulName,
  weights: MatmulStep['weights'],
  { machine, mapping }: LowerContext,
): MatmulStep {
  const { columns: cols, tokensPerPe: tokens, accumulate } = mapping;
  const accumulators = accumulatorsOf(mapping.accumulators, name);
  // Dense weights need no index, so two of them pass the edge as one wavelet.
  const gap = streamGap(machine, cols, weights.mask.sparsity === 0 ? 2 : 1);
  return { kernel: 'spmm', weights, cols, tokens, accumulators, gap, accumulate };
}

function positionSteps(operator: OperatorOf<'position'>, context: LowerContext): ProgramStep[] {
  const { graph, machine, mapping } = context;
  const layout = layoutOf(attentionCase(operator, graph, mapping));
  const { headCols: cols, headsPerColumn, groups } = layout;
  const { tokensPerPe: tokens } = mapping;
  const copies = copiesOf(mapping).row * groups;
  const start = once(attentionStart(layout, tokens, machine), copies);
  if (operator.positions !== 'rotary') return [start];
  const features = 2 * headsPerColumn * rotaryFeatures(operator, graph, mapping);
  return [once(elementwise('rotary', { rows: 1, cols, features, tokens }, machine), copies), start];
}

function tileSteps(
  operator: OperatorOf<'scores' | 'softmax' | 'values'>,
  { graph, mapping }: LowerContext,
  kernels: readonly string[],
): ProgramStep[] {
  const attention = attentionCase(operator, graph, mapping);
  const copies = copiesOf(mapping).row * layoutOf(attention).groups;
  const tiles = [...attentionRotation(attention)];
  return tiles
    .filter(({ kernel }) => kernels.includes(kernel))
    .map((shape) => ({ shape, repeat: mapping.rowsPerSequence, copies }));
}

/** The vocabulary in slices that fit; after each its running statistics, at the end those of the row. */
function headSteps(operator: OperatorOf<'lmHead'>, context: LowerContext): ProgramStep[] {
  const { mapping } = context;
  const { columns: cols, tokensPerPe: tokens } = mapping;
  const copies = copiesOf(mapping);
  const steps: ProgramStep[] = [];
  for (const { out, repeat, weights } of headSlices(operator, mapping)) {
    steps.push({ shape: matmul('lmHead', weights, context), repeat, copies: copies.group });
    const stats = { kernel: 'logitStats', ...ONE_PE, features: Math.ceil(out / cols), tokens } as const;
    steps.push({ shape: stats, repeat, copies: copies.pe });
  }
  steps.push(once({ kernel: 'logitMerge', rows: 1, cols, tokens }, copies.row));
  return steps;
}

/** Slices of the vocabulary: `out` features each, `repeat` of them. */
export function headSlices(
  { width, vocabulary }: OperatorOf<'lmHead'>,
  { logitSlice }: Mapping,
): { readonly out: number; readonly repeat: number; readonly weights: PlacedWeights }[] {
  if (logitSlice < 1) throw internalError('the LM head has no slice');
  const slice = (out: number, repeat: number): ReturnType<typeof headSlices> => {
    if (out === 0 || repeat === 0) return [];
    const mask = { ...DENSE, sparsity: 0, rows: out, width };
    const input = { kind: 'strided', features: width } as const;
    const output = { kind: 'strided', features: out } as const;
    return [{ out, repeat, weights: { mask, input, output } }];
  };
  return [...slice(logitSlice, Math.floor(vocabulary / logitSlice)), ...slice(vocabulary % logitSlice, 1)];
}
