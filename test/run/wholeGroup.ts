// A step's kernel on all of a group: every row of the mapping, every column, all heads and all rings of rows, where the
// program has only the smallest rectangle that stands for them.

import type { Graph, Operator, OperatorKind } from '../../compiler/graph/graph.ts';
import type { StepShape } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { type HeadLayout, headLayout } from '../../kernels/attention/layout.ts';
import { kernels, timingProgram } from '../../kernels/index.ts';
import { matmulShape } from '../../run/step.ts';

export function wholeGroup(
  shape: StepShape,
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
      const all = kind === 'position' ? headColumns(graph, cols) : cols;
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
    case 'rowStream':
      return timingProgram({ ...shape, rows, cols }, machine);
    case 'broadcast':
    case 'chainReduce':
    case 'weightGradient':
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
