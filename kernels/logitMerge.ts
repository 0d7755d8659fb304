// The end of the LM head: a chain east takes the largest logit of each token with its index (of equal ones the lower),
// a broadcast west brings the largest back, every column brings its sum of exponentials to it, and a second chain east
// adds the sums. The last column ends with all three.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   maximum [T] fp16, index [T], sum [T] fp32: the column's own, as logitStats.ts left them; the last column's sums
//   become the row's
//   row [T] fp16, rowIndex [T]: of the row; rowIndex in the last column only

import type { Machine } from '../emulator/machine/spec.ts';
import { packSingle, single } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { broadcastCode, broadcastInstruction } from './broadcast.ts';
import { chainCode, chainInstruction } from './chainReduce.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { rescaled, rescaleSlots } from './logitStats.ts';
import { BROADCAST, CHAIN, rowReduceRoutes } from './rowReduce.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LogitMergeShape {
  readonly kernel: 'logitMerge';
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
}

export interface LogitMergeValues extends ValueMemory {
  readonly at: Record<'maximum' | 'index' | 'sum' | 'row' | 'rowIndex', number>;
}

const LARGEST = 0;
const BROADCAST_CODE = 3;
const RESCALE = 5;
const SUMS = 6;

export const logitMerge: Kernel<LogitMergeShape, LogitMergeValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { rows, cols } = shape;
    return singleThreadProgram(
      {
        name: 'logitMerge',
        width: cols,
        height: rows,
        routes: rowReduceRoutes(cols, rows),
        cores: coresByColumn(cols, rows, (x) => columnThread(shape, machine, x)),
        code: values === undefined ? [] : peCode(shape, values),
      },
      values,
    );
  },
};

function* columnThread({ cols, tokens: T }: LogitMergeShape, { core }: Machine, x: number): Generator<Instruction> {
  yield chainInstruction(x, cols, 2 * T, CHAIN, LARGEST);
  yield broadcastInstruction(x, cols, T, BROADCAST, 'west', BROADCAST_CODE);
  yield { slots: rescaleSlots(T, core), code: RESCALE };
  yield chainInstruction(x, cols, T, CHAIN, SUMS);
}

function peCode({ cols, tokens: T }: LogitMergeShape, { at }: LogitMergeValues): PeCode[] {
  const rescale: PeCode = (memory, base) => {
    for (let i = 0; i < T; i++) {
      const own = memory[base + at.maximum + i];
      if (cols === 1) {
        memory[base + at.row + i] = own;
        memory[base + at.rowIndex + i] = memory[base + at.index + i];
      }
      memory[base + at.sum + i] = rescaled(memory[base + at.sum + i], own, memory[base + at.row + i]);
    }
    return 0;
  };
  return [...largestCode(at), ...broadcastCode(at.row), rescale, ...chainCode(at.sum)];
}

/** Wavelets 2t and 2t + 1 are the largest logit of token t and its index; `row` keeps what came in until the index comes. */
function largestCode(at: LogitMergeValues['at']): PeCode[] {
  const send: PeCode = (memory, base, { slot }) =>
    packSingle(memory[base + (slot % 2 === 0 ? at.maximum : at.index) + (slot >> 1)]);
  const larger = (memory: Float32Array, base: number, slot: number, incoming: number): number => {
    const i = slot >> 1;
    const own = memory[base + at.maximum + i];
    const ownIndex = memory[base + at.index + i];
    if (slot % 2 === 0) {
      memory[base + at.row + i] = incoming;
      return Math.max(own, incoming);
    }
    const other = memory[base + at.row + i];
    return own > other || (own === other && ownIndex < incoming) ? ownIndex : incoming;
  };
  const forward: PeCode = (memory, base, { slot }, wavelet) => packSingle(larger(memory, base, slot, single(wavelet)));
  const keep: PeCode = (memory, base, { slot }, wavelet) => {
    const result = larger(memory, base, slot, single(wavelet));
    if (slot % 2 === 0) return 0;
    const i = slot >> 1;
    memory[base + at.rowIndex + i] = result;
    memory[base + at.row + i] = Math.max(memory[base + at.maximum + i], memory[base + at.row + i]);
    return 0;
  };
  return [send, forward, keep];
}
