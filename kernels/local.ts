// Work of a PE on its own memory: one instruction of `slots` compute slots, the same on every PE of the rectangle, and
// nothing on the fabric. What it does to values is PE code that the caller brings (elementwise.ts).

import type { PeCode } from '../emulator/program/fabric.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LocalShape {
  readonly kernel: 'local';
  readonly rows: number;
  readonly cols: number;
  readonly slots: number;
}

export interface LocalValues extends ValueMemory {
  /** Runs once a PE, after its last slot. */
  readonly code: PeCode;
}

export const local: Kernel<LocalShape, LocalValues> = {
  rows: 'same',
  program({ rows, cols, slots }, _machine, values) {
    return singleThreadProgram(
      {
        name: 'local',
        width: cols,
        height: rows,
        cores: coresByColumn(cols, rows, () => [{ slots, code: 0 }]),
        code: values === undefined ? [] : [values.code],
      },
      values,
    );
  },
};
