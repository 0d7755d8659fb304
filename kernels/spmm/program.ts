// PE code of the sparse matrix multiply: data layout, and what its weights and partial sums do (ringProgram.ts has the
// threads).
//
// Memory of a PE, in 32-bit words, each holding one value:
//   input   [F][T]  feature k of the input at local index floor(k / C)
//   output  [F'][T] feature n of the output at its local index where it ends
//   sums    [K][T]  accumulators; feature n uses number n mod K
// A weight wavelet is the fp16 weight in the high half and the local index of its input feature in the low half.

import { fp16, fp16Value, highHalf, lowHalf, packPair, packSingle, single } from '../../emulator/numerics/fp16.ts';
import type { FabricProgram, PeCode } from '../../emulator/program/fabric.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { ringProgram } from './ringProgram.ts';

/** What a run with values adds to a shape. */
export interface SpmmValues {
  /** Words before the input, the output and the sums within a PE's memory, and words in all. */
  readonly inputAt: number;
  readonly outputAt: number;
  readonly sumsAt: number;
  readonly words: number;
  /** By feature: its local index where it ends. */
  readonly outputLocal: ArrayLike<number>;
  /** Initial memory, PE by PE. */
  readonly memory: Float32Array;
  /** fp16 bits of the weights of ring position p, in stream order, with local feature indices: see `weightWavelet`. */
  readonly weights: readonly Int32Array[];
}

export function weightWavelet(weightBits: number, localFeature: number): number {
  return (weightBits << 16) | localFeature;
}

export function spmmProgram(shape: SpmmShape, values?: SpmmValues): FabricProgram {
  if (values === undefined) return ringProgram('spmm', shape);
  const { inputAt, outputAt, outputLocal, sumsAt, words, memory, weights } = values;
  const { accumulators: K, tokens: T } = shape;
  const sum = (n: number): number => sumsAt + (n % K) * T;
  return ringProgram('spmm', shape, {
    words,
    memory,
    weights,
    code: peCode(shape, inputAt),
    main: sum,
    ring: (n) => ({ a: sum(n), b: outputAt + outputLocal[n] * T }),
  });
}

/** Reading an accumulator clears it for the next feature that uses it. */
function peCode({ tokens: T, psumPerWavelet, cols }: SpmmShape, inputAt: number): PeCode[] {
  const half = psumPerWavelet === 2;
  const round = half ? fp16 : Math.fround;
  const axpy: PeCode = (memory, base, { a }, wavelet) => {
    const weight = fp16Value(wavelet >>> 16);
    const input = base + inputAt + (wavelet & 0xffff) * T;
    for (let i = 0; i < T; i++) {
      const product = memory[input + i] * weight;
      memory[base + a + i] = round(memory[base + a + i] + (half ? fp16(product) : product));
    }
    return 0;
  };
  const forward: PeCode = (memory, base, { a, slot }, wavelet) => {
    const at = base + a + slot * psumPerWavelet;
    const low = memory[at];
    memory[at] = 0;
    if (!half) return packSingle(Math.fround(low + single(wavelet)));
    const has = slot * 2 + 1 < T;
    const high = has ? memory[at + 1] : 0;
    if (has) memory[at + 1] = 0;
    return packPair(lowHalf(wavelet) + low, highHalf(wavelet) + high);
  };
  const send: PeCode = (memory, base, args) => forward(memory, base, args, 0);
  const keep: PeCode = (memory, base, args, wavelet) => {
    const sum = forward(memory, base, args, wavelet);
    const at = base + args.b + args.slot * psumPerWavelet;
    memory[at] = half ? lowHalf(sum) : fp16(single(sum));
    if (half && args.slot * 2 + 1 < T) memory[at + 1] = highHalf(sum);
    return 0;
  };
  // A ring of one has no fabric operand, so its instruction runs once, after its last slot.
  const keepAll: PeCode = (memory, base, { a, b }) => {
    for (let i = 0; i < T; i++) {
      memory[base + b + i] = fp16(memory[base + a + i]);
      memory[base + a + i] = 0;
    }
    return 0;
  };
  return [axpy, send, forward, cols === 1 ? keepAll : keep];
}
