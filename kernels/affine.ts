// A scale and a shift for each feature: the gain and bias of a normalisation, or the bias of a linear layer with scale 1.
// Each column's features come down it in order, one wavelet a feature, scale in the low half and shift in the high one;
// a wavelet starts one instruction, y = x * scale + shift, as a weight of the sparse matmul does.
//
// Memory of a PE, in 32-bit words: input [F][T], output [F][T]; they may be the same.

import { fp16, highHalf, lowHalf, packPair } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import { columnStream, columnStreamRoutes } from './columnStream.ts';
import type { Gap } from './edge.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface AffineShape {
  readonly kernel: 'affine';
  readonly rows: number;
  readonly cols: number;
  readonly features: number;
  readonly tokens: number;
  readonly gap: Gap;
}

export interface AffineValues extends ValueMemory {
  readonly at: { readonly input: number; readonly output: number };
  /** By column: a wavelet for each of its features, `affineWavelet`. */
  readonly wavelets: readonly Int32Array[];
}

export function affineWavelet(scale: number, shift: number): number {
  return packPair(scale, shift);
}

const STREAM = 0;

export const affine: Kernel<AffineShape, AffineValues> = {
  rows: 'shifted',
  program({ rows, cols, features, tokens, gap }, { core }, values) {
    const instruction = {
      repeat: features,
      overhead: core.axpyOverhead,
      slots: Math.ceil(tokens / core.simdFp16),
      trigger: STREAM,
      code: 0,
    };
    return singleThreadProgram(
      {
        name: 'affine',
        width: cols,
        height: rows,
        routes: columnStreamRoutes(cols, rows, STREAM),
        streams: Array.from({ length: cols }, (_, x) => columnStream(x, STREAM, features, gap, values?.wavelets[x])),
        edgeColors: [STREAM],
        cores: coresByColumn(cols, rows, () => [instruction]),
        code: values === undefined ? [] : [scaleAndShift(values.at, tokens)],
      },
      values,
    );
  },
};

function scaleAndShift({ input, output }: AffineValues['at'], tokens: number): PeCode {
  return (memory, base, { item }, wavelet) => {
    const scale = lowHalf(wavelet);
    const shift = highHalf(wavelet);
    const from = base + input + item * tokens;
    const to = base + output + item * tokens;
    for (let i = 0; i < tokens; i++) memory[to + i] = fp16(fp16(memory[from + i] * scale) + shift);
    return 0;
  };
}
