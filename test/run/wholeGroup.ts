// A step's kernels on all of a group: every row of the mapping, every column, all heads and all rings of rows, where the
// program has only the smallest rectangle that stands for them. A gradient by weights is several kernels, one after the
// other; a broadcast is a kernel of one row, of which each row has one.

import type { Graph, Operator, OperatorKind } from '../../compiler/graph/graph.ts';
import type { StepShape, WeightGradientStep } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { type HeadLayout, headLayout } from '../../kernels/attention/layout.ts';
import { kernels, timingProgram } from '../../kernels/index.ts';
import { weightGradientProgram } from '../../kernels/weightGradient/program.ts';
import { sumWavelets } from '../../kernels/weightGradient/shape.ts';
import { matmulShape } from '../../run/step.ts';
import { chunkRows } from '../../run/weightGradient.ts';

/** One after the other; on rows that share nothing `times` times. */
export interface WholeGroup {
  readonly programs: readonly FabricProgram[];
  readonly times: number;
}

const ATTENTION: readonly OperatorKind[] = ['position', 'scores', 'softmax', 'values'];

export function wholeGroup(
  shape: StepShape,
  kind: OperatorKind,
  graph: Graph,
  mapping: Mapping,
  machine: Machine,
): WholeGroup {
  const { rows } = mapping;
  if (shape.kernel === 'weightGradient') return { programs: gradientPrograms(shape, machine), times: 1 };
  if (shape.kernel === 'broadcast') return { programs: [timingProgram(shape, machine)], times: rows };
  return { programs: [oneProgram(shape, kind, graph, mapping, machine)], times: 1 };
}

/** Chunk by chunk the products of all rows, and their sums. */
function gradientPrograms(step: WeightGradientStep, machine: Machine): FabricProgram[] {
  const { rows, cols, accumulate, outGap: gap } = step;
  return Array.from(chunkRows(step, machine), (row) => {
    const sums = new Int32Array(cols);
    row.nnz.forEach((count, cell) => (sums[cell % cols] += count));
    const wavelets = sumWavelets(Math.max(1, ...sums), accumulate);
    const out = { kernel: 'columnReduce', rows, cols, wavelets, gap } as const;
    return [weightGradientProgram({ ...row, rows }), timingProgram(out, machine)];
  }).flat();
}

function oneProgram(
  shape: Exclude<StepShape, WeightGradientStep>,
  kind: OperatorKind,
  graph: Graph,
  mapping: Mapping,
  machine: Machine,
): FabricProgram {
  const { rows, columns: cols } = mapping;
  switch (shape.kernel) {
    case 'spmm':
      return kernels.spmm.program({ kernel: 'spmm', ...matmulShape(shape, machine), rows }, machine);
    case 'attentionScores':
    case 'attentionSoftmax':
    case 'attentionGather':
    case 'attentionValues':
    case 'attentionNormalise':
    case 'attentionDelta':
    case 'attentionSoftmaxBackward':
    case 'attentionGatherBoth':
    case 'attentionGradients': {
      const { groups } = headsOf(graph, cols);
      return timingProgram({ ...shape, rows, cols, groups }, machine);
    }
    case 'ringShift': {
      const ringsY = rows / mapping.rowsPerSequence;
      return timingProgram({ ...shape, ringsX: headColumns(graph, cols), ringsY }, machine);
    }
    case 'local': {
      // Queries and keys are on the columns that hold a head, anything else is on all.
      const all = ATTENTION.includes(kind) ? headColumns(graph, cols) : cols;
      return timingProgram({ ...shape, rows, cols: all }, machine);
    }
    case 'columnReduce':
      return timingProgram({ ...shape, cols }, machine);
    case 'layerNorm':
    case 'layerNormBackward':
    case 'logitGradient':
    case 'logitScale':
    case 'logitMerge':
    case 'logitStats':
    case 'affine':
      return timingProgram({ ...shape, rows, cols }, machine);
    case 'rowStream':
      // The targets of the loss come in on the first column.
      return timingProgram({ ...shape, rows, cols: kind === 'lmHead' ? 1 : cols }, machine);
    case 'broadcast':
    case 'chainReduce':
      break;
  }
  throw new Error(`${shape.kernel} is a part of other kernels`);
}

function headsOf({ nodes }: Graph, cols: number): HeadLayout {
  const operator = nodes.map((node) => node.operator).find(isPosition);
  if (operator === undefined) throw new Error('no heads');
  return headLayout(operator.heads, operator.headDim, cols, operator.positions === 'rotary');
}

function headColumns(graph: Graph, cols: number): number {
  const { groups, headCols } = headsOf(graph, cols);
  return groups * headCols;
}

function isPosition(operator: Operator): operator is Extract<Operator, { kind: 'position' }> {
  return operator.kind === 'position';
}
