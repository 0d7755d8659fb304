// Partial sums that every column of a head has for all its queries come together round the ring of its columns, as in the
// sparse matmul: segment n starts at ring position n + 1, which only sends, and ends at position n, which adds and keeps.
// fp16 sums go two a wavelet, fp32 ones one.

import { fp16, highHalf, lowHalf, packPair, packSingle, single } from '../../emulator/numerics/fp16.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import { ringColors } from '../bursts.ts';
import { HEAD_RING } from './mesh.ts';

export type Accumulate = 'fp16' | 'fp32';

/** Wavelets of so many sums. */
export function sumWavelets(elements: number, accumulate: Accumulate): number {
  return accumulate === 'fp16' ? Math.ceil(elements / 2) : elements;
}

const SEND = 0;
const FORWARD = 1;
const KEEP = 2;

/** What ring position p does; segment n is `wavelets[n]` long, and the code is three entries from `firstCode` on. */
export function* segmentReduce(p: number, wavelets: readonly number[], firstCode: number): Generator<Instruction> {
  const size = wavelets.length;
  if (size === 1) return;
  const { input, output } = ringColors(p, size, HEAD_RING);
  for (let n = 0; n < size; n++) {
    const common = { slots: wavelets[n], cause: CAUSE.reduce, a: n };
    if (p === n) yield { ...common, input, code: firstCode + KEEP };
    else if (p === (n + 1) % size) yield { ...common, output, code: firstCode + SEND };
    else yield { ...common, input, output, code: firstCode + FORWARD };
  }
}

/** The sums of segment n lie at the words `segments[n]` in this order; kept ones are rounded to fp16. */
export function segmentReduceCode(segments: readonly (readonly number[])[], accumulate: Accumulate): PeCode[] {
  const half = accumulate === 'fp16';
  const forward: PeCode = (memory, base, { a: n, slot }, wavelet) => {
    if (!half) return packSingle(Math.fround(memory[base + segments[n][slot]] + single(wavelet)));
    const [low, high] = [segments[n][2 * slot], segments[n].at(2 * slot + 1)];
    const sum = memory[base + low] + lowHalf(wavelet);
    return packPair(sum, high === undefined ? 0 : memory[base + high] + highHalf(wavelet));
  };
  const send: PeCode = (memory, base, args) => forward(memory, base, args, 0);
  const keep: PeCode = (memory, base, args, wavelet) => {
    const { a: n, slot } = args;
    const sum = forward(memory, base, args, wavelet);
    if (!half) {
      memory[base + segments[n][slot]] = fp16(single(sum));
      return 0;
    }
    const high = segments[n].at(2 * slot + 1);
    memory[base + segments[n][2 * slot]] = lowHalf(sum);
    if (high !== undefined) memory[base + high] = highHalf(sum);
    return 0;
  };
  return [send, forward, keep];
}
