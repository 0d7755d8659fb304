// What a ring of columns does to time, as numbers. A partial sum issued at position p in cycle t can be issued by p + 1
// from t + lead(p) on; and p may send its wavelet k only slack(p) wavelets ahead of what p + 1 has taken, delay(p) later.
// Buffers that let one wavelet a cycle through ("rate 1") keep these two from acting on each other.

import type { Latencies } from '../machine/spec.ts';
import { plainArena } from './arena.ts';
import { hopsFrom } from '../program/ring.ts';

export interface RingBuffers {
  /** L(p) = 2 rampLatency + resultLatency + hops. */
  readonly lead: Int32Array;
  /** B(p): wavelets that the buffers between the two cores hold. */
  readonly slack: Int32Array;
  /** Credit latency over the buffers between the cores, less B(p): y_p(k) - k >= y_{p+1}(k - B) - (k - B) + lift(p). */
  readonly lift: Int32Array;
}

export function ringBuffers(cols: number, latencies: Latencies, ints = plainArena.ints): RingBuffers {
  const { rampLatency, resultLatency, creditLatency, outputQueue, inputQueue, routerBuffer } = latencies;
  const [lead, slack, lift] = [ints(cols), ints(cols), ints(cols)];
  // Counting an arena's bytes gives arrays without entries, on which these writes do nothing.
  for (let p = 0; p < cols; p++) {
    const hops = hopsFrom(p, cols);
    lead[p] = 2 * rampLatency + resultLatency + hops;
    slack[p] = outputQueue + inputQueue + routerBuffer * hops;
    lift[p] = (2 + hops) * creditLatency - slack[p];
  }
  return { lead, slack, lift };
}

/** Do all buffers pass one wavelet a cycle while nobody downstream stops? */
export function isRateOne({
  routerBuffer,
  creditLatency,
  outputQueue,
  inputQueue,
  rampLatency,
  resultLatency,
}: Latencies): boolean {
  return (
    routerBuffer >= 1 + creditLatency &&
    outputQueue >= rampLatency + resultLatency + creditLatency &&
    inputQueue >= rampLatency + creditLatency
  );
}
