// When the main threads of a row provably never wait for the stream, so that their closed form is exact. Between two
// slots of a core its ramp passes at most inputQueue + (reduce slots in between) wavelets, so with u(j) the free time of
// token j there is no starvation if
//   (a) a weight takes at least max(creditLatency + rampLatency + 1, inputQueue + 1, gap) slots;
//   (b) among any inputQueue tokens in a row there is a weight, or controls alone are slow enough;
//   (c) u(j) >= f + 1 + inputQueue + rampLatency at the first token j of each cell, f being the free time of its due
//       cycle j * gap.
// (a) is known beforehand, (b) from the mask, (c) is looked at cell by cell. Of f it is enough to know that by (a) and (b)
// the main thread has spent 1 + inputQueue + rampLatency cycles on the inputQueue features before n, all after it had the
// accumulator of feature n - inputQueue; so either the token is due before reduce of m = n - inputQueue - K has finished,
// and (c) holds, or (m + 1) H reduce slots lie before its due cycle, and f <= j * gap - (m + 1) H.

import { NEVER } from './rowState.ts';
import type { SpmmShape } from './shape.ts';

/** (a), and no feature shorter than what the buffers hold. */
export function weightsPaceStream({ axpyOverhead, tokens, simd, gap, latencies }: SpmmShape): boolean {
  const slots = axpyOverhead + Math.ceil(tokens / simd);
  const { creditLatency, rampLatency, inputQueue } = latencies;
  return slots >= Math.max(creditLatency + rampLatency + 1, inputQueue + 1, Math.ceil(gap[0] / gap[1]));
}

/** Features in which a position must be walked token by token, because (b) fails: from `from` up to `until`. */
export interface EmptyRun {
  readonly from: number;
  readonly until: number;
}

/** The shortest run of empty cells that breaks (b); undefined where controls alone are slow enough. */
export function shortestRun({ controlSlots, latencies }: SpmmShape): number | undefined {
  const { inputQueue, creditLatency, rampLatency } = latencies;
  if (controlSlots * inputQueue >= creditLatency + rampLatency + inputQueue) return undefined;
  return Math.max(1, inputQueue - 1);
}

/** A run of `length` empty cells before feature `end`: the cell after it has all its control wavelets before it. */
export function emptyRun(length: number, end: number): EmptyRun {
  return { from: Math.max(0, end - length - 1), until: end };
}

/** By position, the runs of empty cells that break (b). */
export function emptyRuns(shape: SpmmShape): EmptyRun[][] {
  const { features, cols, nnz } = shape;
  const runs: EmptyRun[][] = Array.from({ length: cols }, () => []);
  const shortest = shortestRun(shape);
  if (shortest === undefined) return runs;
  const length = new Int32Array(cols);
  const close = (p: number, end: number): void => {
    if (length[p] >= shortest) runs[p].push(emptyRun(length[p], end));
    length[p] = 0;
  };
  for (let n = 0, cell = 0; n < features; n++)
    for (let p = 0; p < cols; p++, cell++) {
      if (nnz[cell] === 0) length[p]++;
      else if (length[p] > 0) close(p, n);
    }
  for (let p = 0; p < cols; p++) close(p, features);
  return runs;
}

/** (c): by how much u of the first token, `token`, of feature n exceeds what it must be, in parts of the gap's denominator. */
export function streamSpare(shape: SpmmShape, psums: number, n: number, begin: number, token: number): number {
  const { gap, accumulators, latencies } = shape;
  const { inputQueue, rampLatency } = latencies;
  const reduced = Math.max(0, n - inputQueue - accumulators + 1) * psums;
  return (begin + reduced - 1 - inputQueue - rampLatency) * gap[1] - token * gap[0];
}

/** The feature after n in which (c) must be looked at again: weights gain time, a control wavelet may lose some. */
export function streamSpareUntil(shape: SpmmShape, psums: number, n: number, spare: number): number {
  const { gap, controlSlots, accumulators, latencies } = shape;
  const gained = n >= latencies.inputQueue + accumulators - 1 ? controlSlots + psums : controlSlots;
  const loss = gap[0] - gained * gap[1];
  return loss > 0 ? n + 1 + Math.floor(spare / loss) : NEVER;
}
