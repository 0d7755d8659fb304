// The reduce thread of a position: each slot as soon as its feature is finished by the main thread, and its wavelet and
// its credit are known. It has priority, so nothing else can move it.

import { advanceLink } from './links.ts';
import { type LookaheadState, NEVER } from './state.ts';

/** Issues what is known; returns whether there was anything. Leaves in slotBound what is sure of the rest. */
export function advanceReduce(state: LookaheadState, p: number): boolean {
  const { shape, psums: H, slotRing, slots, queueRing, arriveRing, takeRing, doneRing } = state;
  const { arrived, gone, issued, taken, arriveTimes, leaveTimes, issueTimes, takeTimes } = state;
  const { waves: N } = state;
  const { cols: C, accumulators: K, latencies } = shape;
  const { outputQueue, rampLatency, creditLatency } = latencies;
  const from = p === 0 ? C - 1 : p - 1;
  const start = state.slot[p];
  let n = state.slotFeature[p];
  let last = state.lastSlot[p];
  let s = start;
  let w = s - n * H;
  for (; n < N; n++, w = 0) {
    let begin = last + 1;
    if (n >= state.feature[p]) return stop(state, p, s, n, last, mainDone(state, p, n, begin));
    if (w === 0) begin = Math.max(begin, state.doneAt[p * doneRing + (n & (doneRing - 1))] + s);
    const end = state.ends[n];
    const receives = C > 1 && end !== from;
    const sends = end !== p;
    for (; w < H; w++, s++) {
      let there = begin;
      if (receives) {
        const k = taken[from];
        if (k === arrived[from] && issued[from] > k) advanceLink(state, from);
        if (k === arrived[from]) return stop(state, p, s, n, last, Math.max(begin, psumBound(state, p) + rampLatency));
        there = Math.max(begin, arriveTimes[from * arriveRing + (k & (arriveRing - 1))] + rampLatency);
      }
      let y = there;
      if (sends && issued[p] >= outputQueue) {
        const k = issued[p] - outputQueue;
        if (k >= gone[p]) advanceLink(state, p);
        if (k >= gone[p]) return stop(state, p, s, n, last, Math.max(there, creditBound(state, p)));
        y = Math.max(there, leaveTimes[p * queueRing + (k & (queueRing - 1))] + creditLatency);
      }
      if (n >= N - K) noteWait(state, p, n, w, s, begin, there, y);
      slots[p * slotRing + (s & (slotRing - 1))] = y;
      last = y;
      begin = y + 1;
      if (receives) {
        const k = taken[from]++;
        takeTimes[from * takeRing + (k & (takeRing - 1))] = y;
      }
      if (sends) {
        const k = issued[p]++;
        issueTimes[p * queueRing + (k & (queueRing - 1))] = y;
      }
    }
  }
  return stop(state, p, s, n, last, NEVER);
}

/** The links are brought up to date once for all slots of a visit, and between them where one is missing. */
function stop(state: LookaheadState, p: number, slot: number, feature: number, last: number, bound: number): boolean {
  const { issued, arrived } = state;
  const from = p === 0 ? state.shape.cols - 1 : p - 1;
  const moved = slot > state.slot[p];
  if (moved && issued[p] > arrived[p]) advanceLink(state, p);
  if (moved && issued[from] > arrived[from]) advanceLink(state, from);
  state.slot[p] = slot;
  state.slotFeature[p] = feature;
  state.lastSlot[p] = last;
  state.slotBound[p] = bound;
  return moved;
}

/**
 * No wavelet that is not known yet comes to the ramp of p before this cycle. With the queue full it is the next slot of
 * p that lets one in, else the sender has not issued it.
 */
export function psumBound(state: LookaheadState, p: number): number {
  const { shape, slotBound, arrived, taken } = state;
  const { cols: C, latencies } = shape;
  const from = p === 0 ? C - 1 : p - 1;
  if (arrived[from] === taken[from] + latencies.inputQueue) return later(slotBound[p], latencies.creditLatency);
  return later(slotBound[from], latencies.resultLatency + latencies.rampLatency + state.hops[from]);
}

/** No credit that is not known yet comes back to p before this cycle: the next position must take a wavelet first. */
function creditBound({ shape, slotBound, hops }: LookaheadState, p: number): number {
  return later(slotBound[p + 1 === shape.cols ? 0 : p + 1], (2 + hops[p]) * shape.latencies.creditLatency);
}

function later(bound: number, cycles: number): number {
  return bound === NEVER ? NEVER : bound + cycles;
}

/** The main thread has to finish feature n first: what is left of it takes at least its slots. */
function mainDone(state: LookaheadState, p: number, n: number, begin: number): number {
  const { shape, psums: H } = state;
  const left = state.tokensLeft[p];
  if (left === 0) return begin;
  const slots = (left - 1) * state.weightSlots + shape.controlSlots;
  return Math.max(begin, state.begin[p] + n * H + slots, state.notBefore[p] + slots);
}

function noteWait(
  state: LookaheadState,
  p: number,
  n: number,
  w: number,
  slot: number,
  begin: number,
  there: number,
  issued: number,
): void {
  const { shape, waves, psums: H, waits } = state;
  const kept = Math.min(shape.accumulators, waves);
  const at = ((p * kept + n - (waves - kept)) * H + w) * 3;
  waits[at] = begin - slot;
  waits[at + 1] = there - slot;
  waits[at + 2] = issued - slot;
}
