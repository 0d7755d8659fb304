// PE code of the gradient by the weights: for each weight that is not zero the product of its input feature and the
// gradient of its output feature, summed over the tokens of a PE. Indices of the non-zeros come down the columns as weights
// do; the gradient of an output feature goes once round the ring of its row, beginning where it lies, and stays on every
// PE until its products are done. The sums stay too, in the order of the stream: columnReduce adds up the rows.
//
// It is a matmul run backwards in its ring (../spmm/ringProgram.ts): a wave of gradients is taken before its products and not
// after, so the features of the stream lie K behind. The K control wavelets at its head say that K gradients have room;
// the control wavelet after a feature, that its gradient can go.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   input     [F][T]   feature k of the input at local index floor(k / C)
//   gradient  [F'][T]  by output feature n, at its local index where it lies
//   arrived   [K][T]   gradients that went round; feature n uses number n mod K
//   sums      [sums]   one after the other; word 0 before them counts those that there are

import { fp16, highHalf, lowHalf, packPair } from '../../emulator/numerics/fp16.ts';
import type { FabricProgram, PeCode } from '../../emulator/program/fabric.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import type { ValueMemory } from '../kernel.ts';
import { ringProgram } from '../spmm/ringProgram.ts';
import type { Accumulate } from './shape.ts';

/** What a run with values adds to a shape. */
export interface WeightGradientValues extends ValueMemory {
  /** First words; `sums` is that of the count. */
  readonly at: Readonly<Record<'input' | 'gradient' | 'arrived' | 'sums', number>>;
  /** By feature: its local index where it lies. */
  readonly outputLocal: ArrayLike<number>;
  /** Local indices of the input features of the non-zeros of ring position p, in stream order. */
  readonly indices: readonly Int32Array[];
  readonly accumulate: Accumulate;
}

/** `shape` as gradientRow gives it. */
export function weightGradientProgram(shape: SpmmShape, values?: WeightGradientValues): FabricProgram {
  if (values === undefined) return ringProgram('weightGradient', shape);
  const { at, outputLocal, words, memory, indices } = values;
  const { accumulators: K, tokens: T, cols } = shape;
  return ringProgram('weightGradient', shape, {
    words,
    memory,
    weights: indices,
    code: peCode(T, cols, values),
    // Feature n of the stream, the K leading ones counted, has its gradient in the place of wave n - K.
    main: (n) => at.arrived + (n % K) * T,
    ring: (n) => ({ a: at.arrived + (n % K) * T, b: at.gradient + outputLocal[n] * T }),
  });
}

function peCode(T: number, cols: number, { at, accumulate }: WeightGradientValues): PeCode[] {
  const half = accumulate === 'fp16';
  const round = half ? fp16 : Math.fround;
  const dot: PeCode = (memory, base, { a }, wavelet) => {
    const input = base + at.input + wavelet * T;
    let sum = 0;
    for (let i = 0; i < T; i++) {
      const product = memory[input + i] * memory[base + a + i];
      sum = round(sum + (half ? fp16(product) : product));
    }
    const count = base + at.sums;
    memory[count + 1 + memory[count]] = sum;
    memory[count]++;
    return 0;
  };
  const store = (memory: Float32Array, to: number, slot: number, wavelet: number): void => {
    memory[to + 2 * slot] = lowHalf(wavelet);
    if (2 * slot + 1 < T) memory[to + 2 * slot + 1] = highHalf(wavelet);
  };
  const send: PeCode = (memory, base, { a, b, slot }) => {
    const high = 2 * slot + 1 < T ? memory[base + b + 2 * slot + 1] : 0;
    const wavelet = packPair(memory[base + b + 2 * slot], high);
    store(memory, base + a, slot, wavelet);
    return wavelet;
  };
  const forward: PeCode = (memory, base, { a, slot }, wavelet) => {
    store(memory, base + a, slot, wavelet);
    return wavelet;
  };
  // A ring of one has no fabric operand, so its instruction runs once, after its last slot.
  const keepOwn: PeCode = (memory, base, { a, b }) => {
    memory.copyWithin(base + a, base + b, base + b + T);
    return 0;
  };
  return [dot, send, forward, cols === 1 ? keepOwn : forward];
}
