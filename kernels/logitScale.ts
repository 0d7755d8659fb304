// The beginning of the gradient of the loss: the last column, which logitMerge.ts left with the sum of exponentials of every
// token, takes scale / sum, and a broadcast west brings it to all columns.
//
// The gradients are those of `scale` times the sum of the losses of all tokens: their mean would be below what fp16 can hold,
// so whoever takes the weights' gradients outside divides by scale and by the number of tokens.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   sum [T] fp32, of the row, in the last column only; inverse [T] fp32, scale / sum, in all columns

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
  readonly at: { readonly sum: number; readonly inverse: number };
  readonly scale: number;
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

function reciprocal({ at, scale }: LogitScaleValues, T: number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < T; i++)
      memory[base + at.inverse + i] = Math.fround(scale * Math.fround(1 / memory[base + at.sum + i]));
    return 0;
  };
}
