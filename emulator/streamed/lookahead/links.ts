// The link from one position to the next: leaves the sender's ramp, passes the router between where there is one, leaves
// for the receiver's ramp. One wavelet a cycle at each, and each needs an entry of the buffer behind it. Nothing else uses
// these ports, and on the receiver's ramp partial sums go first, so times follow as soon as those before are known.

import type { LookaheadState } from './state.ts';

/** Moves what can be moved on the link out of p. */
export function advanceLink(state: LookaheadState, p: number): void {
  const { issued, gone, middle, arrived, taken, queueRing, bufferRing, arriveRing, takeRing } = state;
  const { issueTimes, leaveTimes, passTimes, arriveTimes, takeTimes } = state;
  const { routerBuffer: D, inputQueue: IQ, creditLatency, rampLatency, resultLatency } = state.shape.latencies;
  const two = state.hops[p] === 2;
  const way = resultLatency + rampLatency;
  const queue = p * queueRing;
  const buffer = p * bufferRing;
  const arrival = p * arriveRing;
  const take = p * takeRing;
  const count = issued[p];
  let out = gone[p];
  let mid = middle[p];
  let end = arrived[p];
  const room = taken[p] + IQ;
  for (let moved = true; moved && end < count; ) {
    moved = false;
    for (; out < count && out < (two ? mid : end) + D; out++, moved = true) {
      let t = issueTimes[queue + (out & (queueRing - 1))] + way;
      if (out > 0) t = Math.max(t, leaveTimes[queue + ((out - 1) & (queueRing - 1))] + 1);
      if (out >= D) {
        const freed = two
          ? passTimes[buffer + ((out - D) & (bufferRing - 1))]
          : arriveTimes[arrival + ((out - D) & (arriveRing - 1))];
        t = Math.max(t, freed + creditLatency);
      }
      leaveTimes[queue + (out & (queueRing - 1))] = t;
    }
    if (two)
      for (; mid < out && mid < end + D; mid++, moved = true) {
        let t = leaveTimes[queue + (mid & (queueRing - 1))] + 1;
        if (mid > 0) t = Math.max(t, passTimes[buffer + ((mid - 1) & (bufferRing - 1))] + 1);
        if (mid >= D) t = Math.max(t, arriveTimes[arrival + ((mid - D) & (arriveRing - 1))] + creditLatency);
        passTimes[buffer + (mid & (bufferRing - 1))] = t;
      }
    for (; end < (two ? mid : out) && end < room; end++, moved = true) {
      let t = two ? passTimes[buffer + (end & (bufferRing - 1))] : leaveTimes[queue + (end & (queueRing - 1))];
      t++;
      if (end > 0) t = Math.max(t, arriveTimes[arrival + ((end - 1) & (arriveRing - 1))] + 1);
      if (end >= IQ) t = Math.max(t, takeTimes[take + ((end - IQ) & (takeRing - 1))] + creditLatency);
      arriveTimes[arrival + (end & (arriveRing - 1))] = t;
    }
  }
  gone[p] = out;
  middle[p] = mid;
  arrived[p] = end;
}
