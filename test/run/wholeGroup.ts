// A step's kernel on all of a group: every row of the mapping, every column, all heads and all rings of rows, where the
// program has only the smallest rectangle that stands for them.

import type { ProgramStep } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { kernels, timingProgram } from '../../kernels/index.ts';
import { isFolded, matmulShape } from '../../run/step.ts';

export function wholeGroup({ shape, copies }: ProgramStep, mapping: Mapping, machine: Machine): FabricProgram {
  const { rows, columns: cols, groups: copiesOfGroup } = mapping;
  const perRow = copies / (copiesOfGroup * (isFolded(shape.kernel) ? 1 : rows));
  switch (shape.kernel) {
    case 'spmm':
      return kernels.spmm.program({ kernel: 'spmm', ...matmulShape(shape, machine), rows }, machine);
    case 'attentionScores':
    case 'attentionSoftmax':
    case 'attentionGather':
    case 'attentionValues':
    case 'attentionNormalise':
      return timingProgram({ ...shape, rows, cols, groups: perRow }, machine);
    case 'ringShift':
      return timingProgram({ ...shape, ringsX: perRow * shape.size, ringsY: rows / shape.size }, machine);
    case 'local':
      // The start of attention is on the columns that hold a head, the rest on all.
      return timingProgram({ ...shape, rows, cols: perRow * shape.cols }, machine);
    case 'layerNorm':
    case 'logitMerge':
    case 'logitStats':
    case 'affine':
    case 'rowStream':
      return timingProgram({ ...shape, rows, cols }, machine);
    case 'broadcast':
    case 'chainReduce':
      break;
  }
  throw new Error(`${shape.kernel} is a part of other kernels`);
}
