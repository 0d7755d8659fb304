// Sums over the tokens of a PE, feature by feature, local: what a PE adds to the gradient of a bias, or of the gain and the
// bias of a normalisation. One dot product of T tokens a sum, accumulated in fp32; columnReduce.ts adds the rows.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   gradient [F][T] fp16; normalised [F][T] fp16, what the gain multiplied, where there is a gain
//   sums     [F] fp32 of the bias; or [F] of the gain; or [2][F], gain and then bias

import type { Machine } from '../emulator/machine/spec.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { LocalShape } from './local.ts';

export type SummedGradients = 'bias' | 'gain' | 'gainAndBias';

/** Sums a feature has. */
export function sumsOf(of: SummedGradients): 1 | 2 {
  return of === 'gainAndBias' ? 2 : 1;
}

export function featureSums(
  of: SummedGradients,
  extent: { readonly rows: number; readonly cols: number; readonly features: number; readonly tokens: number },
  { core }: Machine,
): LocalShape {
  const { rows, cols, features, tokens } = extent;
  return { kernel: 'local', rows, cols, slots: sumsOf(of) * features * Math.ceil(tokens / core.simdFp16ToFp32) };
}

export function featureSumsCode(
  of: SummedGradients,
  { features, tokens }: { readonly features: number; readonly tokens: number },
  at: { readonly gradient: number; readonly normalised: number; readonly sums: number },
): PeCode {
  return (memory, base) => {
    for (let f = 0; f < features; f++) {
      let gain = 0;
      let bias = 0;
      for (let i = f * tokens; i < (f + 1) * tokens; i++) {
        const gradient = memory[base + at.gradient + i];
        if (of !== 'bias') gain = Math.fround(gain + gradient * memory[base + at.normalised + i]);
        bias = Math.fround(bias + gradient);
      }
      memory[base + at.sums + f] = of === 'bias' ? bias : gain;
      if (of === 'gainAndBias') memory[base + at.sums + features + f] = bias;
    }
    return 0;
  };
}
