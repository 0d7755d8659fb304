// After each slice of the LM head: the largest logit of every token so far, its index in the vocabulary, and the sum of
// exponentials relative to it, over each column's own features. logitMerge.ts brings the columns together.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   logits  [F][T] fp16; feature n of the slice lies at ring position n mod C
//   maximum [T] fp16, index [T], sum [T] fp32; before the first slice LOWEST, anything, 0

import type { Machine } from '../emulator/machine/spec.ts';
import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import { columnOf } from '../emulator/program/ring.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LogitStatsShape {
  readonly kernel: 'logitStats';
  readonly rows: number;
  readonly cols: number;
  /** Of the slice on a column. */
  readonly features: number;
  readonly tokens: number;
}

export interface LogitStatsValues extends ValueMemory {
  readonly at: Record<'logits' | 'maximum' | 'index' | 'sum', number>;
  /** First feature of the slice in the vocabulary, and features of the slice. */
  readonly first: number;
  readonly count: number;
}

/** The lowest finite fp16: below every logit, and its differences are never undefined. */
export const LOWEST = -65504;

export const logitStats: Kernel<LogitStatsShape, LogitStatsValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { rows, cols } = shape;
    const positions: number[] = [];
    for (let p = 0; p < cols; p++) positions[columnOf(p, cols)] = p;
    const slots = slotsOf(shape, machine);
    return singleThreadProgram(
      {
        name: 'logitStats',
        width: cols,
        height: rows,
        cores: coresByColumn(cols, rows, (x) => [{ slots, code: 0, a: positions[x] }]),
        code: values === undefined ? [] : [running(shape, values)],
      },
      values,
    );
  },
};

function slotsOf({ features, tokens }: LogitStatsShape, { core }: Machine): number {
  const halves = Math.ceil(tokens / core.simdFp16);
  const perFeature = halves * (1 + 1 + core.expOps) + Math.ceil(tokens / core.simdFp32Add);
  return features * perFeature + rescaleSlots(tokens, core);
}

/** A sum comes to a new maximum: difference, exponential, product. */
export function rescaleSlots(tokens: number, core: Machine['core']): number {
  return Math.ceil(tokens / core.simdFp16) * (1 + core.expOps) + Math.ceil(tokens / core.simdFp32);
}

/** `sum` relative to `before`, relative to `maximum`. */
export function rescaled(sum: number, before: number, maximum: number): number {
  return Math.fround(sum * fp16(Math.exp(fp16(before - maximum))));
}

function running({ cols, tokens: T }: LogitStatsShape, { at, first, count }: LogitStatsValues): PeCode {
  return (memory, base, { a: p }) => {
    const held = Math.ceil((count - p) / cols);
    const logits = base + at.logits;
    for (let i = 0; i < T; i++) {
      const before = memory[base + at.maximum + i];
      let maximum = before;
      for (let f = 0; f < held; f++)
        if (memory[logits + f * T + i] > maximum) {
          maximum = memory[logits + f * T + i];
          memory[base + at.index + i] = first + f * cols + p;
        }
      let sum = rescaled(memory[base + at.sum + i], before, maximum);
      for (let f = 0; f < held; f++)
        sum = Math.fround(sum + fp16(Math.exp(fp16(memory[logits + f * T + i] - maximum))));
      memory[base + at.maximum + i] = maximum;
      memory[base + at.sum + i] = sum;
    }
    return 0;
  };
}
