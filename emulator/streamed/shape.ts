// The sparse matrix multiply with weights streaming: what one case of it is. Letters: C columns of a group, N output
// features, T tokens a PE, K accumulators. Activations stay where they are, column c holding the input features of ring
// position p(c); the non-zeros of output feature n come down the columns, then one control wavelet a column; partial
// sums of n go once round the ring and end at position ends[n], having begun at the next one.

import type { Lawful } from '../laws.ts';
import type { Latencies } from '../machine/spec.ts';

export interface SpmmShape {
  readonly rows: number;
  readonly cols: number;
  /** N, the output features streamed. */
  readonly features: number;
  readonly tokens: number;
  /** Non-zeros of feature n at ring position p: entry n * cols + p. */
  readonly nnz: Uint16Array;
  /** The first so many features have sums that go round, the others only weights; at most K have none. Absent: all. */
  readonly waves?: number;
  /** By wave, where its sums end; no two in a row at the same position. Absent: at n mod C. */
  readonly ends?: Uint16Array;
  readonly accumulators: number;
  /** Cycles between two wavelets of a stream, as a fraction >= 1. */
  readonly gap: readonly [number, number];
  readonly axpyOverhead: number;
  readonly controlSlots: number;
  /** Multiply-adds a slot. */
  readonly simd: number;
  /** Partial sums a wavelet: 2 in fp16, 1 in fp32. */
  readonly psumPerWavelet: number;
  readonly latencies: Latencies;
}

export function wavesOf({ waves, features }: SpmmShape): number {
  return waves ?? features;
}

export function endsOf(shape: SpmmShape): Uint16Array {
  return shape.ends ?? Uint16Array.from({ length: wavesOf(shape) }, (_, n) => n % shape.cols);
}

/** Element slots of one weight's AXPY. */
export function axpyElementSlots({ tokens, simd }: SpmmShape): number {
  return Math.ceil(tokens / simd);
}

/** Wavelets of partial sums a feature sends from position to position, which are also its reduce slots on every PE. */
export function psumWavelets({ tokens, psumPerWavelet }: SpmmShape): number {
  return Math.ceil(tokens / psumPerWavelet);
}

/** What is counted of one row of the ring; the other rows follow by folding (fold.ts). */
export interface RowCounts {
  readonly cycles: number;
  /** CAUSE_COUNT counts a ring position. */
  readonly where: Float64Array;
}

/** Counts that keep the laws (rowLaws.ts). */
export type RowTiming = Lawful<RowCounts>;
