// Seeded random numbers for the kernel tests.

import { fp16 } from '../../emulator/numerics/fp16.ts';

/** Uniform in [0, 1), a multiplicative congruential generator: the same on every machine. */
export function uniform(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) % 4294967296;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

/** fp16 values, roughly normal with standard deviation `scale`. */
export function drawHalves(count: number, seed: number, scale = 1): Float32Array {
  const next = uniform(seed);
  return Float32Array.from({ length: count }, () =>
    fp16((next() + next() + next() + next() - 2) * Math.sqrt(3) * scale),
  );
}

/** A bank of `pes` memories of `words` words, filled PE by PE. */
export function bank(pes: number, words: number, fill: (pe: number) => ArrayLike<number>): Float32Array {
  const memory = new Float32Array(pes * words);
  for (let pe = 0; pe < pes; pe++) memory.set(fill(pe), pe * words);
  return memory;
}
