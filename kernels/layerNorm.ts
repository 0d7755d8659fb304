// LayerNorm and RMSNorm of every token over its row: sums of each column's own features, a chain east of the sums, mean
// and reciprocal deviation in the last column, a broadcast west of them, and the normalisation. Gain and bias follow by
// `affine`.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   input  [F][T] fp16; feature k of `width` lies at ring position k mod C; features beyond `width` are zero
//   output [F][T] fp16; may be the input; features beyond `width` stay as they are
//   stats  [2][T] fp32; sums of x and of x^2, then mean and 1 / deviation. RMSNorm: [1][T], without the mean

import type { Machine } from '../emulator/machine/spec.ts';
import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { columnOf } from '../emulator/program/ring.ts';
import { broadcastCode, broadcastInstruction } from './broadcast.ts';
import { chainCode, chainInstruction } from './chainReduce.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { BROADCAST, CHAIN, rowReduceRoutes } from './rowReduce.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LayerNormShape {
  readonly kernel: 'layerNorm';
  readonly rows: number;
  readonly cols: number;
  /** Of the whole model; a column holds `features` = ceil(width / cols) of them or one less. */
  readonly width: number;
  readonly features: number;
  readonly tokens: number;
  readonly kind: 'layernorm' | 'rmsnorm';
}

export interface LayerNormValues extends ValueMemory {
  readonly at: { readonly input: number; readonly output: number; readonly stats: number };
  readonly epsilon: number;
}

const SUMS = 0;
const CHAIN_CODE = 1;
const FINALISE = 4;
const BROADCAST_CODE = 5;
const NORMALISE = 7;

export const layerNorm: Kernel<LayerNormShape, LayerNormValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { rows, cols } = shape;
    const featuresAt = featuresByColumn(shape);
    return singleThreadProgram(
      {
        name: shape.kind,
        width: cols,
        height: rows,
        routes: rowReduceRoutes(cols, rows),
        cores: coresByColumn(cols, rows, (x) => columnThread(shape, machine, x, featuresAt[x])),
        code: values === undefined ? [] : peCode(shape, values),
      },
      values,
    );
  },
};

/** Features, of `width`, that each column holds. */
export function featuresByColumn({ cols, width }: { readonly cols: number; readonly width: number }): number[] {
  const held: number[] = [];
  for (let p = 0; p < cols; p++) held[columnOf(p, cols)] = Math.ceil((width - p) / cols);
  return held;
}

function* columnThread(shape: LayerNormShape, { core }: Machine, x: number, held: number): Generator<Instruction> {
  const { cols, features: F, tokens: T, kind } = shape;
  const stats = kind === 'layernorm' ? 2 : 1;
  const last = x === cols - 1;
  yield { slots: stats * F * Math.ceil(T / core.simdFp16ToFp32), code: SUMS, a: held };
  yield chainInstruction(x, cols, stats * T, CHAIN, CHAIN_CODE);
  const perToken = (kind === 'layernorm' ? 3 : 1) + core.rsqrtOps;
  if (last) yield { slots: perToken * Math.ceil(T / core.simdFp32), code: FINALISE };
  yield broadcastInstruction(x, cols, stats * T, BROADCAST, 'west', BROADCAST_CODE);
  yield { slots: stats * F * Math.ceil(T / core.simdFp16), code: NORMALISE, a: held };
}

function peCode(shape: LayerNormShape, { at, epsilon }: LayerNormValues): PeCode[] {
  const { tokens: T, width, kind } = shape;
  const centred = kind === 'layernorm';
  const squares = at.stats + (centred ? T : 0);
  const share = Math.fround(1 / width);

  const sums: PeCode = (memory, base, { a: held }) => {
    for (let i = 0; i < T; i++) {
      let sum = 0;
      let square = 0;
      for (let f = 0; f < held; f++) {
        const x = memory[base + at.input + f * T + i];
        sum = Math.fround(sum + x);
        square = Math.fround(square + x * x);
      }
      if (centred) memory[base + at.stats + i] = sum;
      memory[base + squares + i] = square;
    }
    return 0;
  };
  const finalise: PeCode = (memory, base) => {
    for (let i = 0; i < T; i++) {
      const mean = centred ? Math.fround(memory[base + at.stats + i] * share) : 0;
      const variance = Math.fround(Math.fround(memory[base + squares + i] * share) - mean * mean);
      if (centred) memory[base + at.stats + i] = mean;
      memory[base + squares + i] = Math.fround(1 / Math.sqrt(Math.max(0, variance) + epsilon));
    }
    return 0;
  };
  // Mean and reciprocal deviation are rounded to fp16 before they meet the activations: the vectors run at fp16 rate.
  const normalise: PeCode = (memory, base, { a: held }) => {
    for (let i = 0; i < T; i++) {
      const mean = centred ? fp16(memory[base + at.stats + i]) : 0;
      const inverse = fp16(memory[base + squares + i]);
      for (let f = 0; f < held; f++)
        memory[base + at.output + f * T + i] = fp16(fp16(memory[base + at.input + f * T + i] - mean) * inverse);
    }
    return 0;
  };
  return [sums, ...chainCode(at.stats), finalise, ...broadcastCode(at.stats), normalise];
}
