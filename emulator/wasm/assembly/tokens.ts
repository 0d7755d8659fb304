// The token level of a row, in AssemblyScript: the twin of emulator/streamed/segments.ts and mainTokens.ts, on the same
// arrays. Times are cycles; `walkTokens` returns free time.

import {
  at,
  C,
  controlSlots,
  endOf,
  H,
  K,
  lead,
  levelOf,
  mainFree,
  phiLast,
  pieceAt,
  pieceCount,
  put,
  reduceFree,
  token,
  weightSlots,
} from './state';

let D: i32, creditLatency: i32;
export let IQ: i32, rampLatency: i32, gapNumerator: i32, gapDenominator: i32;
/** Whole cycles of a gap, and what remains, in parts of the denominator. */
let gapWhole: i32, gapRest: i32;
let lastEntered: usize, lastRamp: usize, mainCycle: usize;
let rampTimes: usize, slotTimes: usize, rampLevel: usize, waitWeights: usize;
/** When the next token may enter, rounded up, and by how many parts of the denominator it was rounded. */
let due: usize, dueRounded: usize;
/** Intervals a queue holds, a power of two, less one; and entries from one queue to the next. */
let mask: i32;
let stride: i32;
let reduceSlots: usize, rampPsums: usize;

/** Banks of an interval queue, in the order of their addresses. */
const START: i32 = 0;
const END: i32 = 1;
const AT: i32 = 2;
const COUNT: i32 = 3;
const PASSED: i32 = 4;

/** `parameters`: as laid by emulator/streamed/wasmRow.ts, from its index `from` on. */
export function startTokens(parameters: usize, from: i32): void {
  gapNumerator = at(parameters, 6);
  gapDenominator = at(parameters, 7);
  gapWhole = gapNumerator / gapDenominator;
  gapRest = gapNumerator % gapDenominator;
  D = at(parameters, from);
  IQ = at(parameters, from + 1);
  creditLatency = at(parameters, from + 2);
  rampLatency = at(parameters, from + 3);
  mask = at(parameters, from + 4) - 1;
  stride = at(parameters, from + 24);
  lastEntered = at(parameters, from + 5);
  lastRamp = at(parameters, from + 6);
  mainCycle = at(parameters, from + 7);
  rampTimes = at(parameters, from + 8);
  slotTimes = at(parameters, from + 9);
  rampLevel = at(parameters, from + 10);
  waitWeights = at(parameters, from + 11);
  due = at(parameters, from + 12);
  dueRounded = at(parameters, from + 13);
  reduceSlots = parameters + (<usize>(from + 14) << 2);
  rampPsums = parameters + (<usize>(from + 19) << 2);
}

// @ts-ignore: decorator
@inline
function bank(queue: usize, which: i32): usize {
  return at(queue, which);
}

function append(queue: usize, p: i32, from: i32, to: i32): void {
  let n = at(bank(queue, COUNT), p);
  if (n > at(bank(queue, AT), p)) {
    const last = p * stride + ((n - 1) & mask);
    if (at(bank(queue, END), last) === from) {
      put(bank(queue, END), last, to);
      return;
    }
  } else {
    n = 0;
    put(bank(queue, AT), p, 0);
  }
  const next = p * stride + (n & mask);
  put(bank(queue, START), next, from);
  put(bank(queue, END), next, to);
  put(bank(queue, COUNT), p, n + 1);
}

/** Empties the queues of p; feature n is the first to be logged. */
export function startLog(p: i32, n: i32): void {
  empty(reduceSlots, p, n * H);
  empty(rampPsums, p, 0);
}

function empty(queue: usize, p: i32, passed: i32): void {
  put(bank(queue, AT), p, 0);
  put(bank(queue, COUNT), p, 0);
  put(bank(queue, PASSED), p, passed);
}

/** Long before any cycle; far enough from the limit of 32 bits to be added to. */
const LONG_AGO: i32 = -0x20000000;

/** What position p must know of its past to be walked token by token: nothing, but for its core's cycle. */
export function enterTokens(p: i32): void {
  put(lastEntered, p, LONG_AGO);
  put(lastRamp, p, LONG_AGO);
  for (let k = 0; k < D; k++) put(rampTimes, p * D + k, LONG_AGO);
  for (let k = 0; k < IQ; k++) put(slotTimes, p * IQ + k, LONG_AGO);
  const parts = <i64>at(token, p) * <i64>gapNumerator;
  const whole = (parts + <i64>gapDenominator - 1) / <i64>gapDenominator;
  put(due, p, <i32>whole);
  put(dueRounded, p, <i32>(whole * <i64>gapDenominator - parts));
  put(mainCycle, p, cycleOf(p, at(mainFree, p)));
}

/** The first cycle of core p that has `free` cycles without a reduce slot before it. */
function cycleOf(p: i32, free: i32): i32 {
  const count = at(bank(reduceSlots, COUNT), p);
  let pointer = at(bank(reduceSlots, AT), p);
  let passed = at(bank(reduceSlots, PASSED), p);
  let cycle = free + passed;
  for (; pointer < count; pointer++) {
    const i = p * stride + (pointer & mask);
    const start = at(bank(reduceSlots, START), i);
    if (start > cycle) break;
    const length = at(bank(reduceSlots, END), i) - start;
    cycle += length;
    passed += length;
  }
  put(bank(reduceSlots, AT), p, pointer);
  put(bank(reduceSlots, PASSED), p, passed);
  return cycle;
}

/** U_p(n), walked token by token. Both queues of intervals are passed in place; those ahead begin at `psum` and `slot`. */
export function walkTokens(p: i32, n: i32, weights: i32): i32 {
  // Globals and banks would be loaded anew at each use.
  const own = p * stride;
  const wrap = mask;
  const psumStart = bank(rampPsums, START);
  const psumEnd = bank(rampPsums, END);
  const psumCount = at(bank(rampPsums, COUNT), p);
  const slotStart = bank(reduceSlots, START);
  const slotEnd = bank(reduceSlots, END);
  const slotCount = at(bank(reduceSlots, COUNT), p);
  let psumAt = at(bank(rampPsums, AT), p);
  let slotAt = at(bank(reduceSlots, AT), p);
  let passed = at(bank(reduceSlots, PASSED), p);
  let psum = psumAt < psumCount ? at(psumStart, own + (psumAt & wrap)) : i32.MAX_VALUE;
  let slot = slotAt < slotCount ? at(slotStart, own + (slotAt & wrap)) : i32.MAX_VALUE;

  let begin = at(mainFree, p);
  let cycle = at(mainCycle, p);
  if (n >= K) {
    const free = at(phiLast, ((n + 2) % (K + 2)) * C + p);
    begin = max(begin, free);
    cycle = max(cycle, (n - K + 1) * H + free);
  }
  const credit = creditLatency;
  const way = rampLatency;
  const aWeight = weightSlots;
  const whole = gapWhole;
  const rest = gapRest;
  const denominator = gapDenominator;
  let entered = at(lastEntered, p);
  let ramp = at(lastRamp, p);
  let enters = at(due, p);
  let rounded = at(dueRounded, p);
  let starved = 0;
  const buffers = rampTimes + (<usize>(p * D) << 2);
  const queues = slotTimes + (<usize>(p * IQ) << 2);
  const buffersEnd = buffers + (<usize>D << 2);
  const queuesEnd = queues + (<usize>IQ << 2);
  const j = at(token, p);
  let buffered = buffers + (<usize>(j % D) << 2);
  let queued = queues + (<usize>(j % IQ) << 2);
  for (let left = weights; left >= 0; left--) {
    entered = max(max(enters, entered + 1), load<i32>(buffered) + credit);
    ramp = max(max(entered + 1, ramp + 1), load<i32>(queued) + credit);
    while (psum <= ramp) {
      ramp = max(ramp, at(psumEnd, own + (psumAt & wrap)));
      psum = ++psumAt < psumCount ? at(psumStart, own + (psumAt & wrap)) : i32.MAX_VALUE;
    }
    let first = max(cycle, ramp + way);
    while (slot <= first) {
      const end = at(slotEnd, own + (slotAt & wrap));
      first = max(first, end);
      passed += end - slot;
      slot = ++slotAt < slotCount ? at(slotStart, own + (slotAt & wrap)) : i32.MAX_VALUE;
    }
    const free = first - passed;
    starved += free - begin;
    const slots = left > 0 ? aWeight : controlSlots;
    begin = free + slots;
    cycle = first + slots;
    while (slot < cycle) {
      const length = at(slotEnd, own + (slotAt & wrap)) - slot;
      cycle += length;
      passed += length;
      slot = ++slotAt < slotCount ? at(slotStart, own + (slotAt & wrap)) : i32.MAX_VALUE;
    }
    store<i32>(buffered, ramp);
    store<i32>(queued, first);
    buffered += 4;
    if (buffered === buffersEnd) buffered = buffers;
    queued += 4;
    if (queued === queuesEnd) queued = queues;
    enters += whole;
    rounded -= rest;
    if (rounded < 0) {
      rounded += denominator;
      enters++;
    }
  }
  put(bank(rampPsums, AT), p, psumAt);
  put(bank(reduceSlots, AT), p, slotAt);
  put(bank(reduceSlots, PASSED), p, passed);
  const sum = waitWeights + (<usize>p << 3);
  store<f64>(sum, load<f64>(sum) + <f64>starved);
  put(due, p, enters);
  put(dueRounded, p, rounded);
  put(lastEntered, p, entered);
  put(lastRamp, p, ramp);
  put(token, p, j + weights + 1);
  put(mainCycle, p, cycle);
  return begin;
}

/** Ramp times of the first inputQueue psums of feature n, which come to p from position `from`. */
export function logFirstPsums(p: i32, from: i32, n: i32): void {
  const base = n * H;
  let level = at(reduceFree, from) + at(lead, from) - rampLatency;
  let w = 0;
  const skips = n > 0 && endOf(n - 1) === from;
  const before = skips ? n - 2 : n - 1;
  if (before >= 0) {
    const later = creditLatency - IQ - (skips ? H : 0);
    const cell = (before % 3) * C + p;
    const pieces = cell * H;
    const count = at(pieceCount, cell);
    for (let i = 0; i < count; i++) {
      const lifted = levelOf(cell, i) + later;
      if (lifted <= level) continue;
      const first = i === 0 ? 0 : max(0, at(pieceAt, pieces + i) - (H - IQ));
      if (first > w) append(rampPsums, p, base + w + level, base + first + level);
      w = max(w, first);
      level = lifted;
    }
  }
  append(rampPsums, p, base + w + level, base + IQ + level);
  put(rampLevel, p, level);
}

/** Reduce slots of feature n at p and, where p is not the first of the chain, the ramp times of its other psums. */
export function logFeature(p: i32, n: i32, received: bool): void {
  const cell = (n % 3) * C + p;
  const pieces = cell * H;
  const count = at(pieceCount, cell);
  const base = n * H;
  for (let i = 0; i < count; i++) {
    const level = levelOf(cell, i) + base;
    const from = i === 0 ? 0 : at(pieceAt, pieces + i);
    const to = i + 1 < count ? at(pieceAt, pieces + i + 1) : H;
    append(reduceSlots, p, from + level, to + level);
  }
  if (!received) return;
  let level = at(rampLevel, p);
  let w = IQ;
  for (let i = 0; i < count; i++) {
    const lifted = levelOf(cell, i) + creditLatency - IQ;
    const first = (i === 0 ? 0 : at(pieceAt, pieces + i)) + IQ;
    if (lifted <= level || first >= H) continue;
    if (first > w) append(rampPsums, p, base + w + level, base + first + level);
    w = first;
    level = lifted;
  }
  append(rampPsums, p, base + w + level, base + H + level);
}
