// The token level of a row, in AssemblyScript: the twin of emulator/streamed/segments.ts and mainTokens.ts. What is known of a
// position lies in a line or two of a cache, its walk, and not in an array for each number. Times are cycles; `walkTokens`
// returns free time.

import {
  at,
  C,
  controlSlots,
  endOf,
  firstLevel,
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
  waves,
  weightSlots,
} from './state';

let D: i32, creditLatency: i32;
export let IQ: i32, rampLatency: i32, gapNumerator: i32, gapDenominator: i32;
/** Whole cycles of a gap, and what remains, in parts of the denominator. */
let gapWhole: i32, gapRest: i32;
let waitWeights: usize;
/** Intervals a queue holds, a power of two, less one; and intervals from one queue to the next. */
let mask: i32;
let stride: i32;
let reduceSlots: usize, rampPsums: usize;
/** What the walk of a position knows, one after the other, and bytes from one to the next. */
let walks: usize, walkBytes: usize;

/** A queue of intervals: how many are passed, and where it ends, counted without wrapping. Busy cycles passed: of slots. */
const SLOT_QUEUE: usize = 0;
const PASSED: usize = 8;
const PSUM_QUEUE: usize = 12;
const AT: usize = 0;
const COUNT: usize = 4;
const MAIN_CYCLE: usize = 20;
const LAST_ENTERED: usize = 24;
const LAST_RAMP: usize = 28;
/** When the next token may enter, rounded up, and by how many parts of the denominator it was rounded. */
const DUE: usize = 32;
const DUE_ROUNDED: usize = 36;
const RAMP_LEVEL: usize = 40;
/** 64 bits. */
const STARVED: usize = 48;
/** Where the next token's times go, in bytes. */
const BUFFERED: usize = 56;
const QUEUED: usize = 60;
/** Ramp times of the latest D tokens, then first slots of the latest IQ; each as its credit comes back. */
const TIMES: usize = 64;

/** Of the feature that is timed: its first slot, where its staircases and those of the two before it lie, who frees its sums. */
let base: i32, own: i32, latest: i32, earlier: i32, freeRow: usize;
/** The position whose link did not carry the feature before, which ended there. */
let skipping: i32;

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
  stride = at(parameters, from + 5);
  reduceSlots = at(parameters, from + 6);
  rampPsums = at(parameters, from + 7);
  waitWeights = at(parameters, from + 8);
  walks = at(parameters, from + 9);
  walkBytes = <usize>at(parameters, from + 10) << 2;
  for (let p = 0; p < C; p++) {
    startLog(p, 0);
    enterTokens(p);
  }
}

/** Tells how long each position waited for weights. */
export function endTokens(): void {
  for (let p = 0; p < C; p++) store<f64>(waitWeights + (<usize>p << 3), <f64>load<i64>(walkOf(p), STARVED));
}

/** Before feature n is timed: what is the same at all positions. */
export function startFeature(n: i32): void {
  base = n * H;
  own = (n % 3) * C;
  latest = n > 0 ? ((n - 1) % 3) * C : -1;
  earlier = n > 1 ? ((n - 2) % 3) * C : -1;
  freeRow = n < K ? 0 : phiLast + (<usize>(((n + 2) % (K + 2)) * C) << 2);
  skipping = n > 0 && n <= waves ? endOf(n - 1) : -1;
}

// @ts-ignore: decorator
@inline
function walkOf(p: i32): usize {
  return walks + <usize>p * walkBytes;
}

/** Where interval i of a queue whose first is `first` lies: its start, then its end. */
// @ts-ignore: decorator
@inline
function interval(bounds: usize, first: i32, i: i32): usize {
  return bounds + (<usize>(first + (i & mask)) << 3);
}

/** Appends [from, to) to the queue of p whose numbers are at `queue`; one that continues the last is joined to it. */
function append(bounds: usize, queue: usize, p: i32, from: i32, to: i32): void {
  const first = p * stride;
  let n = load<i32>(queue, COUNT);
  if (n > load<i32>(queue, AT)) {
    const last = interval(bounds, first, n - 1);
    if (load<i32>(last, 4) === from) {
      store<i32>(last, to, 4);
      return;
    }
  } else {
    n = 0;
    store<i32>(queue, 0, AT);
  }
  const next = interval(bounds, first, n);
  store<i32>(next, from);
  store<i32>(next, to, 4);
  store<i32>(queue, n + 1, COUNT);
}

/** Empties the queues of p; feature n is the first to be logged. */
export function startLog(p: i32, n: i32): void {
  const walk = walkOf(p);
  store<i64>(walk, 0, SLOT_QUEUE);
  store<i32>(walk, n * H, PASSED);
  store<i32>(walk, 0, PSUM_QUEUE + AT);
  store<i32>(walk, 0, PSUM_QUEUE + COUNT);
}

/** Long before any cycle; far enough from the limit of 32 bits to be added to. */
const LONG_AGO: i32 = -0x20000000;

/** What position p must know of its past to be walked token by token: nothing, but for its core's cycle. */
export function enterTokens(p: i32): void {
  const walk = walkOf(p);
  store<i32>(walk, LONG_AGO, LAST_ENTERED);
  store<i32>(walk, LONG_AGO, LAST_RAMP);
  for (let k = 0; k < D + IQ; k++) put(walk + TIMES, k, LONG_AGO);
  store<i64>(walk, 0, BUFFERED);
  const parts = <i64>at(token, p) * <i64>gapNumerator;
  const whole = (parts + <i64>gapDenominator - 1) / <i64>gapDenominator;
  store<i32>(walk, <i32>whole, DUE);
  store<i32>(walk, <i32>(whole * <i64>gapDenominator - parts), DUE_ROUNDED);
  store<i32>(walk, cycleOf(walk, p, at(mainFree, p)), MAIN_CYCLE);
}

/** The first cycle of core p that has `free` cycles without a reduce slot before it. */
function cycleOf(walk: usize, p: i32, free: i32): i32 {
  const count = load<i32>(walk, SLOT_QUEUE + COUNT);
  let pointer = load<i32>(walk, SLOT_QUEUE + AT);
  let passed = load<i32>(walk, PASSED);
  let cycle = free + passed;
  for (; pointer < count; pointer++) {
    const slots = interval(reduceSlots, p * stride, pointer);
    const start = load<i32>(slots);
    if (start > cycle) break;
    const length = load<i32>(slots, 4) - start;
    cycle += length;
    passed += length;
  }
  store<i32>(walk, pointer, SLOT_QUEUE + AT);
  store<i32>(walk, passed, PASSED);
  return cycle;
}

/** U_p(n), walked token by token. Both queues of intervals are passed in place; those ahead begin at `psum` and `slot`. */
export function walkTokens(p: i32, weights: i32): i32 {
  // Globals would be loaded anew at each use.
  const walk = walkOf(p);
  const queue = <usize>(p * stride) << 3;
  const wrap = mask;
  const psums = rampPsums + queue;
  const psumCount = load<i32>(walk, PSUM_QUEUE + COUNT);
  const slots = reduceSlots + queue;
  const slotCount = load<i32>(walk, SLOT_QUEUE + COUNT);
  let psumAt = load<i32>(walk, PSUM_QUEUE + AT);
  let slotAt = load<i32>(walk, SLOT_QUEUE + AT);
  let passed = load<i32>(walk, PASSED);
  let psum = psumAt < psumCount ? load<i32>(psums + (<usize>(psumAt & wrap) << 3)) : i32.MAX_VALUE;
  let slot = slotAt < slotCount ? load<i32>(slots + (<usize>(slotAt & wrap) << 3)) : i32.MAX_VALUE;

  let begin = at(mainFree, p);
  let cycle = load<i32>(walk, MAIN_CYCLE);
  if (freeRow !== 0) {
    const free = at(freeRow, p);
    begin = max(begin, free);
    cycle = max(cycle, base - (K - 1) * H + free);
  }
  const credit = creditLatency;
  const way = rampLatency;
  const aWeight = weightSlots;
  const control = controlSlots;
  const whole = gapWhole;
  const rest = gapRest;
  const denominator = gapDenominator;
  let entered = load<i32>(walk, LAST_ENTERED);
  let ramp = load<i32>(walk, LAST_RAMP);
  let enters = load<i32>(walk, DUE);
  let rounded = load<i32>(walk, DUE_ROUNDED);
  const buffers = walk + TIMES;
  const queues = buffers + (<usize>D << 2);
  const queuesEnd = queues + (<usize>IQ << 2);
  let buffered = buffers + load<i32>(walk, BUFFERED);
  let queued = queues + load<i32>(walk, QUEUED);
  for (let left = weights; left >= 0; left--) {
    entered = max(max(enters, entered + 1), load<i32>(buffered));
    ramp = max(max(entered, ramp) + 1, load<i32>(queued));
    while (psum <= ramp) {
      ramp = max(ramp, load<i32>(psums + (<usize>(psumAt & wrap) << 3), 4));
      psum = ++psumAt < psumCount ? load<i32>(psums + (<usize>(psumAt & wrap) << 3)) : i32.MAX_VALUE;
    }
    let first = max(cycle, ramp + way);
    while (slot <= first) {
      const end = load<i32>(slots + (<usize>(slotAt & wrap) << 3), 4);
      first = max(first, end);
      passed += end - slot;
      slot = ++slotAt < slotCount ? load<i32>(slots + (<usize>(slotAt & wrap) << 3)) : i32.MAX_VALUE;
    }
    cycle = first + (left > 0 ? aWeight : control);
    while (slot < cycle) {
      const length = load<i32>(slots + (<usize>(slotAt & wrap) << 3), 4) - slot;
      cycle += length;
      passed += length;
      slot = ++slotAt < slotCount ? load<i32>(slots + (<usize>(slotAt & wrap) << 3)) : i32.MAX_VALUE;
    }
    store<i32>(buffered, ramp + credit);
    store<i32>(queued, first + credit);
    buffered += 4;
    buffered = select(buffers, buffered, buffered === queues);
    queued += 4;
    queued = select(queues, queued, queued === queuesEnd);
    enters += whole;
    rounded -= rest;
    // Without a branch: which tokens carry a cycle follows no pattern that a processor could guess.
    const carry = rounded >> 31;
    rounded += denominator & carry;
    enters -= carry;
  }
  store<i32>(walk, psumAt, PSUM_QUEUE + AT);
  store<i32>(walk, slotAt, SLOT_QUEUE + AT);
  store<i32>(walk, passed, PASSED);
  // Reduce slots count to both, so that their difference is free time; of it, all but the slots was waiting.
  const end = cycle - passed;
  store<i64>(walk, load<i64>(walk, STARVED) + <i64>(end - begin - weights * aWeight - control), STARVED);
  store<i32>(walk, enters, DUE);
  store<i32>(walk, rounded, DUE_ROUNDED);
  store<i32>(walk, entered, LAST_ENTERED);
  store<i32>(walk, ramp, LAST_RAMP);
  put(token, p, at(token, p) + weights + 1);
  store<i32>(walk, <i32>(buffered - buffers), BUFFERED);
  store<i32>(walk, <i32>(queued - queues), QUEUED);
  store<i32>(walk, cycle, MAIN_CYCLE);
  return end;
}

/** Ramp times of the first inputQueue psums of the feature, which come to p from position `from`. */
export function logFirstPsums(p: i32, from: i32): void {
  const queue = walkOf(p) + PSUM_QUEUE;
  let level = at(reduceFree, from) + at(lead, from) - rampLatency;
  let w = 0;
  const skips = skipping === from;
  const before = skips ? earlier : latest;
  if (before >= 0) {
    const later = creditLatency - IQ - (skips ? H : 0);
    const cell = before + p;
    const count = at(pieceCount, cell);
    if (count === 1) level = max(level, at(firstLevel, cell) + later);
    else {
      const pieces = cell * H;
      for (let i = 0; i < count; i++) {
        const lifted = levelOf(cell, i) + later;
        if (lifted <= level) continue;
        const first = i === 0 ? 0 : max(0, at(pieceAt, pieces + i) - (H - IQ));
        if (first > w) append(rampPsums, queue, p, base + w + level, base + first + level);
        w = max(w, first);
        level = lifted;
      }
    }
  }
  append(rampPsums, queue, p, base + w + level, base + IQ + level);
  store<i32>(walkOf(p), level, RAMP_LEVEL);
}

/** The same where nothing has lifted the staircase, as mostly. */
// @ts-ignore: decorator
@inline
function logFlat(walk: usize, p: i32, level: i32, received: bool): void {
  append(reduceSlots, walk + SLOT_QUEUE, p, base + level, base + level + H);
  if (!received) return;
  const ramp = max(load<i32>(walk, RAMP_LEVEL), level + creditLatency - IQ) + base;
  append(rampPsums, walk + PSUM_QUEUE, p, ramp + IQ, ramp + H);
}

/** Reduce slots of the feature at p and, where p is not the first of the chain, the ramp times of its other psums. */
export function logFeature(p: i32, received: bool): void {
  const walk = walkOf(p);
  const cell = own + p;
  const pieces = cell * H;
  const count = at(pieceCount, cell);
  if (count === 1 && IQ < H) {
    logFlat(walk, p, at(firstLevel, cell), received);
    return;
  }
  for (let i = 0; i < count; i++) {
    const level = levelOf(cell, i) + base;
    const from = i === 0 ? 0 : at(pieceAt, pieces + i);
    const to = i + 1 < count ? at(pieceAt, pieces + i + 1) : H;
    append(reduceSlots, walk + SLOT_QUEUE, p, from + level, to + level);
  }
  if (!received) return;
  const queue = walk + PSUM_QUEUE;
  let level = load<i32>(walk, RAMP_LEVEL);
  let w = IQ;
  for (let i = 0; i < count; i++) {
    const lifted = levelOf(cell, i) + creditLatency - IQ;
    const first = (i === 0 ? 0 : at(pieceAt, pieces + i)) + IQ;
    if (lifted <= level || first >= H) continue;
    if (first > w) append(rampPsums, queue, p, base + w + level, base + first + level);
    w = first;
    level = lifted;
  }
  append(rampPsums, queue, p, base + w + level, base + H + level);
}
