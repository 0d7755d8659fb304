// When the main threads of a row provably never wait for the stream, so that their closed form is exact. Between two
// slots of a core its ramp passes at most inputQueue + (reduce slots in between) wavelets, so with u(j) the free time of
// token j there is no starvation if
//   (a) a weight takes at least max(creditLatency + rampLatency + 1, inputQueue + 1, gap) slots;
//   (b) among any inputQueue tokens in a row there is a weight, or controls alone are slow enough;
//   (c) u(j) >= j * gap + 1 + inputQueue + rampLatency at the first token j of each cell.
// (a) is known beforehand, (b) from the mask, (c) is looked at cell by cell.

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

/** By position, the runs of empty cells that break (b); none where controls alone are slow enough. */
export function emptyRuns({ features, cols, nnz, controlSlots, latencies }: SpmmShape): EmptyRun[][] {
  const runs: EmptyRun[][] = Array.from({ length: cols }, () => []);
  const { inputQueue, creditLatency, rampLatency } = latencies;
  if (controlSlots * inputQueue >= creditLatency + rampLatency + inputQueue || !nnz.includes(0)) return runs;
  const length = new Int32Array(cols);
  const close = (p: number, end: number): void => {
    // The cell after the run has all its control wavelets before it, so it belongs to the run.
    if (length[p] >= inputQueue - 1 && length[p] > 0)
      runs[p].push({ from: Math.max(0, end - length[p] - 1), until: end });
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

/** (c): free cycles that token j needs beyond j * gap. */
export function streamMargin({ latencies }: SpmmShape): number {
  return 1 + latencies.inputQueue + latencies.rampLatency;
}
