// The gradient by the input of LayerNorm and RMSNorm, over each row as forward (layerNorm.ts): sums of each column's own
// features, a chain east, means in the last column, a broadcast west, and the combination
//   dx = (g - mean(g) - xhat * mean(g * xhat)) / deviation       without mean(g) for RMSNorm
// g is the gradient by the normalised values, which `affine` has made of that by the output, with the gain as its scale.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   gradient   [F][T] fp16, g; normalised [F][T] fp16, xhat; feature k of `width` lies at ring position k mod C
//   output     [F][T] fp16; may be the gradient; features beyond `width` stay as they are
//   deviations [T] fp32, 1 / deviation as forward left it in its stats
//   stats      [2][T] fp32; sums of g and of g * xhat, then their means. RMSNorm: [1][T], without those of g

import type { Machine } from '../emulator/machine/spec.ts';
import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { broadcastCode, broadcastInstruction } from './broadcast.ts';
import { chainCode, chainInstruction } from './chainReduce.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { featuresByColumn, type LayerNormShape } from './layerNorm.ts';
import { BROADCAST, CHAIN, rowReduceRoutes } from './rowReduce.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LayerNormBackwardShape extends Omit<LayerNormShape, 'kernel'> {
  readonly kernel: 'layerNormBackward';
}

export interface LayerNormBackwardValues extends ValueMemory {
  readonly at: Record<'gradient' | 'normalised' | 'output' | 'deviations' | 'stats', number>;
}

const SUMS = 0;
const CHAIN_CODE = 1;
const MEANS = 4;
const BROADCAST_CODE = 5;
const COMBINE = 7;

export const layerNormBackward: Kernel<LayerNormBackwardShape, LayerNormBackwardValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { rows, cols, kind } = shape;
    const featuresAt = featuresByColumn(shape);
    return singleThreadProgram(
      {
        name: `${kind}Backward`,
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

function* columnThread(
  shape: LayerNormBackwardShape,
  { core }: Machine,
  x: number,
  held: number,
): Generator<Instruction> {
  const { cols, features: F, tokens: T, kind } = shape;
  const stats = kind === 'layernorm' ? 2 : 1;
  yield { slots: stats * F * Math.ceil(T / core.simdFp16ToFp32), code: SUMS, a: held };
  yield chainInstruction(x, cols, stats * T, CHAIN, CHAIN_CODE);
  if (x === cols - 1) yield { slots: stats * Math.ceil(T / core.simdFp32), code: MEANS };
  yield broadcastInstruction(x, cols, stats * T, BROADCAST, 'west', BROADCAST_CODE);
  // A difference (LayerNorm), a multiply-add and a product.
  yield { slots: (stats + 1) * F * Math.ceil(T / core.simdFp16), code: COMBINE, a: held };
}

function peCode(shape: LayerNormBackwardShape, { at }: LayerNormBackwardValues): PeCode[] {
  const { tokens: T, width, kind } = shape;
  const centred = kind === 'layernorm';
  const products = at.stats + (centred ? T : 0);
  const share = Math.fround(1 / width);

  const sums: PeCode = (memory, base, { a: held }) => {
    for (let i = 0; i < T; i++) {
      let sum = 0;
      let product = 0;
      for (let f = 0; f < held; f++) {
        const gradient = memory[base + at.gradient + f * T + i];
        sum = Math.fround(sum + gradient);
        product = Math.fround(product + gradient * memory[base + at.normalised + f * T + i]);
      }
      if (centred) memory[base + at.stats + i] = sum;
      memory[base + products + i] = product;
    }
    return 0;
  };
  const means: PeCode = (memory, base) => {
    for (let i = at.stats; i < products + T; i++) memory[base + i] = Math.fround(memory[base + i] * share);
    return 0;
  };
  // Means and reciprocal deviation are rounded to fp16 before they meet the activations, as forward does.
  const combine: PeCode = (memory, base, { a: held }) => {
    for (let i = 0; i < T; i++) {
      const mean = centred ? fp16(memory[base + at.stats + i]) : 0;
      const product = fp16(memory[base + products + i]);
      const inverse = fp16(memory[base + at.deviations + i]);
      for (let f = 0; f < held; f++) {
        const difference = fp16(memory[base + at.gradient + f * T + i] - mean);
        const rest = fp16(difference - fp16(memory[base + at.normalised + f * T + i] * product));
        memory[base + at.output + f * T + i] = fp16(rest * inverse);
      }
    }
    return 0;
  };
  return [sums, ...chainCode(at.stats), means, ...broadcastCode(at.stats), combine];
}
