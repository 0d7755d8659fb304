// The beginning of the gradient of the loss: the last column, which logitMerge.ts left with the sum of exponentials of every
// token, takes weight / sum, and a broadcast west brings it to all columns.
//
// The loss is the sum over the tokens of weight times theirs. Weights are near 1, and 0 for padding: those of a mean would
// make gradients that fp16 cannot hold, so whoever takes the gradients of the parameters outside divides them.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   sum [T] fp32, of the row, in the last column only; weight [T] fp16; inverse [T] fp32, weight / sum, in all columns

import type { PeCode } from '../emulator/program/fabric.ts';
import { broadcastCode, broadcastInstruction, broadcastRoutes } from './broadcast.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LogitScaleShape {
  readonly kernel: 'logitScale';
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
}

export interface LogitScaleValues extends ValueMemory {
  readonly at: Record<'sum' | 'weight' | 'inverse', number>;
}

const COLOR = 0;
const RECIPROCAL = 0;
const BROADCAST_CODE = 1;

export const logitScale: Kernel<LogitScaleShape, LogitScaleValues> = {
  rows: 'same',
  program({ rows, cols, tokens: T }, { core }, values) {
    const slots = Math.ceil(T / core.simdFp32) * (core.reciprocalOps + 1);
    return singleThreadProgram(
      {
        name: 'logitScale',
        width: cols,
        height: rows,
        routes: Array.from({ length: rows }, (_, y) => broadcastRoutes(cols, y, COLOR, 'west')).flat(),
        cores: coresByColumn(cols, rows, (x) => [
          ...(x === cols - 1 ? [{ slots, code: RECIPROCAL }] : []),
          broadcastInstruction(x, cols, T, COLOR, 'west', BROADCAST_CODE),
        ]),
        code: values === undefined ? [] : [reciprocal(values, T), ...broadcastCode(values.at.inverse)],
      },
      values,
    );
  },
};

function reciprocal({ at }: LogitScaleValues, T: number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < T; i++)
      memory[base + at.inverse + i] = memory[base + at.weight + i] * Math.fround(1 / memory[base + at.sum + i]);
    return 0;
  };
}
