// The twin of emulator/streamed/lookahead/mainThread.ts.

import { at, put } from '../state';
import { psumBound } from './reduceThread';
import {
  ahead,
  aheadFrom,
  aheadLead,
  arrived,
  arriveRing,
  arriveTimes,
  begins,
  bufferRing,
  C,
  controlSlots,
  creditLatency,
  D,
  denominator,
  doneAt,
  doneRing,
  dues,
  dueSlack,
  feature,
  firstSlots,
  gapCycles,
  gapRest,
  H,
  IQ,
  K,
  lastEntered,
  lastRamp,
  N,
  NEVER,
  nnz,
  notBefores,
  psumsPassed,
  rampLatency,
  rampTimes,
  slot,
  slotBound,
  slotFeature,
  slotRing,
  slots,
  slotsPassed,
  taken,
  takeRing,
  token,
  tokensLeft,
  waitWeights,
  weightSlots,
} from './state';

function beginFeature(p: i32): bool {
  const n = at(feature, p);
  if (n === N) return false;
  if (n >= K) {
    const s = (n - K + 1) * H - 1;
    if (s >= at(slot, p)) return false;
    const free = at(slots, p * slotRing + (s & (slotRing - 1))) - s;
    if (free > at(begins, p)) put(begins, p, free);
  }
  put(tokensLeft, p, <i32>load<u16>(nnz + (<usize>(n * C + p) << 1)) + 1);
  if (load<u8>(ahead + p) === 0 && n >= at(aheadFrom, p)) {
    const lead = <f64>(at(begins, p) - at(dues, p)) * denominator + at(dueSlack, p);
    if (lead >= load<f64>(aheadLead + (<usize>p << 3))) store<u8>(ahead + p, 1);
  }
  return true;
}

function finishFeature(p: i32, free: i32): void {
  const n = at(feature, p);
  put(feature, p, n + 1);
  put(begins, p, free);
  put(doneAt, p * doneRing + (n & (doneRing - 1)), free);
}

export function advanceMain(p: i32): bool {
  let finished = false;
  while (at(tokensLeft, p) > 0 || beginFeature(p)) {
    if (load<u8>(ahead + p) === 0) return walkFeature(p);
    const tokens = at(tokensLeft, p);
    put(token, p, at(token, p) + tokens);
    put(tokensLeft, p, 0);
    finishFeature(p, at(begins, p) + (tokens - 1) * weightSlots + controlSlots);
    finished = true;
  }
  return finished;
}

function walkFeature(p: i32): bool {
  const from = p === 0 ? C - 1 : p - 1;
  const arrivedCount = C > 1 ? at(arrived, from) : 0;
  const known = at(slot, p);
  const waiting = at(slotFeature, p) === at(feature, p);
  const nextSlot = waiting ? NEVER : at(slotBound, p);
  const full = C === 1 || (waiting && arrivedCount === at(taken, from) + IQ);
  const nextPsum = full ? NEVER : psumBound(p);
  const credit = creditLatency;
  const way = rampLatency;
  const buffers = D;
  const inputs = IQ;
  const bufferMask = bufferRing - 1;
  const takeMask = takeRing - 1;
  const arriveMask = arriveRing - 1;
  const slotMask = slotRing - 1;
  const ramps = rampTimes + (<usize>(p * bufferRing) << 2);
  const firsts = firstSlots + (<usize>(p * takeRing) << 2);
  const arrivals = arriveTimes + (<usize>(from * arriveRing) << 2);
  const own = slots + (<usize>(p * slotRing) << 2);
  const weight = weightSlots;
  const control = controlSlots;
  const step = gapCycles;
  const rest = gapRest;
  let due = at(dues, p);
  let slack = at(dueSlack, p);
  let entered = at(lastEntered, p);
  let ramp = at(lastRamp, p);
  let begin = at(begins, p);
  let before = at(slotsPassed, p);
  let sums = at(psumsPassed, p);
  let j = at(token, p);
  let left = at(tokensLeft, p);
  let starved = 0;
  let notBefore = 0;
  for (; left > 0; left--, j++) {
    const enters = max(max(due, entered + 1), at(ramps, (j - buffers) & bufferMask) + credit);
    let t = max(max(enters, ramp) + 1, at(firsts, (j - inputs) & takeMask) + credit);
    let k = sums;
    for (; k < arrivedCount; k++) {
      const other = at(arrivals, k & arriveMask);
      if (other > t) break;
      if (other === t) t++;
    }
    if (k === arrivedCount && t >= nextPsum) {
      notBefore = t + way;
      break;
    }
    let c = max(begin + before, t + way);
    let passed = before;
    while (passed < known) {
      const y = at(own, passed & slotMask);
      if (y > c) break;
      passed++;
      c = max(begin + passed, y === c ? c + 1 : c);
    }
    if (passed === known && c >= nextSlot) {
      notBefore = c;
      break;
    }
    sums = k;
    before = passed;
    starved += c - before - begin;
    begin = c - before + (left > 1 ? weight : control);
    entered = enters;
    ramp = t;
    put(ramps, j & bufferMask, t);
    put(firsts, j & takeMask, c);
    due += step;
    slack -= rest;
    if (slack < 0) {
      slack += denominator;
      due++;
    }
  }
  const sum = waitWeights + (<usize>p << 3);
  store<f64>(sum, load<f64>(sum) + starved);
  put(dues, p, due);
  put(dueSlack, p, slack);
  put(lastEntered, p, entered);
  put(lastRamp, p, ramp);
  put(begins, p, begin);
  put(slotsPassed, p, before);
  put(psumsPassed, p, sums);
  put(token, p, j);
  put(tokensLeft, p, left);
  put(notBefores, p, notBefore);
  if (left > 0) return false;
  finishFeature(p, begin);
  return true;
}
