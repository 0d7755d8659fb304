// The longest that a case of the matmul can take, seen before it is run: cycles are counted in 32 bits.

import { ARENA_START, wasmKernels } from '../wasm/module.ts';
import { arenaBytes } from './arena.ts';
import type { Latencies } from '../machine/spec.ts';
import { axpyElementSlots, psumWavelets, type SpmmShape } from './shape.ts';

/** Cycles that one wavelet may take to the next PE and its credit back, with nothing else in flight. */
export function mostHopCycles({ rampLatency, creditLatency, resultLatency }: Latencies): number {
  return 2 * rampLatency + resultLatency + 2 + 4 * creditLatency;
}

/** Sum over features of the largest cell, counted by the WebAssembly twin. */
export function sumOfLargest({ nnz, features, cols }: SpmmShape): number {
  const kernels = wasmKernels(arenaBytes((arena) => void arena.counts(nnz.length)));
  const cells = new Uint16Array(kernels.memory.buffer, ARENA_START, nnz.length);
  cells.set(nnz);
  return kernels.sumOfLargest(cells.byteOffset, features, cols);
}

/** The same by TypeScript alone: its judge. */
export function sumOfLargestPlain({ nnz, features, cols }: SpmmShape): number {
  let sum = 0;
  for (let n = 0; n < features; n++) {
    let most = 0;
    for (let at = n * cols; at < (n + 1) * cols; at++) if (nnz[at] > most) most = nnz[at];
    sum += most;
  }
  return sum;
}

/** Cycles if nothing overlapped: features one after the other, each column waiting for the slowest. */
export function mostCycles(shape: SpmmShape): number {
  const { cols, features, gap, axpyOverhead, controlSlots, rows, latencies } = shape;
  const aWeight = axpyOverhead + axpyElementSlots(shape) + gap[0] / gap[1];
  const aFeature = controlSlots + gap[0] / gap[1] + (psumWavelets(shape) + cols) * mostHopCycles(latencies);
  return rows + features * aFeature + sumOfLargest(shape) * aWeight;
}
