// The twin of emulator/streamed/lookahead/reduceThread.ts.

import { at, put } from '../state';
import { advanceLink } from './links';
import {
  arrived,
  arriveRing,
  arriveTimes,
  begins,
  C,
  controlSlots,
  creditLatency,
  doneAt,
  doneRing,
  endOf,
  feature,
  gone,
  H,
  hops,
  IQ,
  issued,
  issueTimes,
  K,
  kept,
  lastSlot,
  leaveTimes,
  NEVER,
  notBefores,
  OQ,
  queueRing,
  rampLatency,
  resultLatency,
  slot,
  slotBound,
  slotFeature,
  slotRing,
  slots,
  taken,
  takeRing,
  takeTimes,
  tokensLeft,
  waits,
  waves,
  weightSlots,
} from './state';

export function advanceReduce(p: i32): void {
  const height = H;
  const from = p === 0 ? C - 1 : p - 1;
  const own = slots + (<usize>(p * slotRing) << 2);
  const slotMask = slotRing - 1;
  let n = at(slotFeature, p);
  let last = at(lastSlot, p);
  let s = at(slot, p);
  let w = s - n * height;
  for (; n < waves; n++, w = 0) {
    let begin = last + 1;
    if (n >= at(feature, p)) return stop(p, s, n, last, mainDone(p, n, begin));
    if (w === 0) begin = max(begin, at(doneAt, p * doneRing + (n & (doneRing - 1))) + s);
    const end = endOf(n);
    const receives = C > 1 && end !== from;
    const sends = end !== p;
    const notes = n >= waves - K;
    for (; w < height; w++, s++) {
      let there = begin;
      if (receives) {
        const k = at(taken, from);
        if (k === at(arrived, from) && at(issued, from) > k) advanceLink(from);
        if (k === at(arrived, from)) return stop(p, s, n, last, max(begin, psumBound(p) + rampLatency));
        there = max(begin, at(arriveTimes, from * arriveRing + (k & (arriveRing - 1))) + rampLatency);
      }
      let y = there;
      if (sends && at(issued, p) >= OQ) {
        const k = at(issued, p) - OQ;
        if (k >= at(gone, p)) advanceLink(p);
        if (k >= at(gone, p)) return stop(p, s, n, last, max(there, creditBound(p)));
        y = max(there, at(leaveTimes, p * queueRing + (k & (queueRing - 1))) + creditLatency);
      }
      if (notes) {
        const note = ((p * kept + n - (waves - kept)) * height + w) * 3;
        put(waits, note, begin - s);
        put(waits, note + 1, there - s);
        put(waits, note + 2, y - s);
      }
      put(own, s & slotMask, y);
      last = y;
      begin = y + 1;
      if (receives) {
        const k = at(taken, from);
        put(taken, from, k + 1);
        put(takeTimes, from * takeRing + (k & (takeRing - 1)), y);
      }
      if (sends) {
        const k = at(issued, p);
        put(issued, p, k + 1);
        put(issueTimes, p * queueRing + (k & (queueRing - 1)), y);
      }
    }
  }
  stop(p, s, n, last, NEVER);
}

function stop(p: i32, next: i32, n: i32, last: i32, bound: i32): void {
  const from = p === 0 ? C - 1 : p - 1;
  if (next > at(slot, p)) {
    if (at(issued, p) > at(arrived, p)) advanceLink(p);
    if (at(issued, from) > at(arrived, from)) advanceLink(from);
  }
  put(slot, p, next);
  put(slotFeature, p, n);
  put(lastSlot, p, last);
  put(slotBound, p, bound);
}

export function psumBound(p: i32): i32 {
  const from = p === 0 ? C - 1 : p - 1;
  if (at(arrived, from) === at(taken, from) + IQ) return later(at(slotBound, p), creditLatency);
  return later(at(slotBound, from), resultLatency + rampLatency + at(hops, from));
}

function creditBound(p: i32): i32 {
  return later(at(slotBound, p + 1 === C ? 0 : p + 1), (2 + at(hops, p)) * creditLatency);
}

function later(bound: i32, cycles: i32): i32 {
  return bound === NEVER ? NEVER : bound + cycles;
}

function mainDone(p: i32, n: i32, begin: i32): i32 {
  const left = at(tokensLeft, p);
  if (left === 0) return begin;
  const rest = (left - 1) * weightSlots + controlSlots;
  return max(begin, max(at(begins, p) + n * H, at(notBefores, p)) + rest);
}
