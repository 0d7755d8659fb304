// What a ring of columns does to time, as numbers. A partial sum issued at position p in cycle t can be issued by p + 1
// from t + lead(p) on; and p may send its wavelet k only slack(p) wavelets ahead of what p + 1 has taken, delay(p) later.
// Buffers that let one wavelet a cycle through ("rate 1") keep these two from acting on each other.

import type { Latencies } from '../machine/spec.ts';
import { hopsFrom } from '../program/ring.ts';

export interface RingBuffers {
  /** L(p) = 2 rampLatency + resultLatency + hops. */
  readonly lead: Int32Array;
  /** B(p): wavelets that the buffers between the two cores hold. */
  readonly slack: Int32Array;
  /** Credit latency over the buffers between the cores, less B(p): y_p(k) - k >= y_{p+1}(k - B) - (k - B) + lift(p). */
  readonly lift: Int32Array;
}

export function ringBuffers(cols: number, latencies: Latencies): RingBuffers {
  const { rampLatency, resultLatency, creditLatency, outputQueue, inputQueue, routerBuffer } = latencies;
  const hops = Int32Array.from({ length: cols }, (_, p) => hopsFrom(p, cols));
  const slack = hops.map((h) => outputQueue + inputQueue + routerBuffer * h);
  return {
    lead: hops.map((h) => 2 * rampLatency + resultLatency + h),
    slack,
    lift: hops.map((h, p) => (2 + h) * creditLatency - slack[p]),
  };
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
