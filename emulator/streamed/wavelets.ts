// One row of the ring wavelet by wavelet, for any buffers and latencies: when each partial sum is issued, leaves the ramp,
// passes the middle router and the ramp of its receiver. Blocks of inputQueue wavelets go along the chain, so that the
// credit of every buffer is known when it is needed; a feature must have at least that many.
//
// Rings of times, by position p and index of the wavelet on the link out of p:
//   rampOut  leaves the sender's ramp    (outputQueue entries in front of it)
//   middle   leaves the router between   (routerBuffer)
//   rampIn   leaves towards the receiver (routerBuffer)
//   taken    issued by the receiver      (inputQueue), by position of the receiver

import { hopsFrom } from '../program/ring.ts';
import { walkTokens } from './mainTokens.ts';
import { LONG_AGO, type RowState } from './rowState.ts';

/** A wait of a reduce thread in free time: for the partial sum from `from` on, then for a credit from `there` on. */
interface Wait {
  readonly from: number;
  readonly there: number;
  readonly to: number;
}

export interface WaveletState {
  readonly row: RowState;
  readonly hops: Int32Array;
  readonly rampOut: Int32Array;
  readonly middle: Int32Array;
  readonly rampIn: Int32Array;
  readonly taken: Int32Array;
  /** Entries of a ring of rampIn: both its credits and the block that travels are looked up there. */
  readonly rampInRing: number;
  readonly lastRampOut: Int32Array;
  readonly lastMiddle: Int32Array;
  readonly lastRampIn: Int32Array;
  readonly lastSlot: Int32Array;
  /** Wavelets so far on the links into and out of a position. */
  readonly received: Int32Array;
  readonly sent: Int32Array;
  /** By position, the waits of the latest K features. */
  readonly waits: Wait[][];
}

export function waveletState(row: RowState): WaveletState {
  const { cols, latencies } = row.shape;
  const rampInRing = Math.max(latencies.routerBuffer, latencies.inputQueue);
  const times = (entries: number): Int32Array => new Int32Array(cols * entries).fill(LONG_AGO);
  return {
    row,
    hops: Int32Array.from({ length: cols }, (_, p) => hopsFrom(p, cols)),
    rampOut: times(latencies.outputQueue),
    middle: times(latencies.routerBuffer),
    rampIn: times(rampInRing),
    taken: times(latencies.inputQueue),
    rampInRing,
    lastRampOut: times(1),
    lastMiddle: times(1),
    lastRampIn: times(1),
    lastSlot: new Int32Array(cols).fill(-1),
    received: new Int32Array(cols),
    sent: new Int32Array(cols),
    waits: Array.from({ length: cols }, () => []),
  };
}

/** Main and reduce threads of feature n. */
export function waveletFeature(state: WaveletState, n: number): void {
  const { row } = state;
  const { cols: C, accumulators: K, features, nnz, latencies } = row.shape;
  const H = row.psums;
  const block = latencies.inputQueue;
  const noteWaits = n >= features - K;
  for (let from = 0; from < H; from += block) {
    const to = Math.min(from + block, H);
    for (let x = 0; x < C; x++) {
      const p = (n + 1 + x) % C;
      const before = x === 0 ? -1 : (p + C - 1) % C;
      if (before >= 0) logBlock(state, before, p, to - from);
      if (from === 0) row.mainFree[p] = walkTokens(row, p, n, nnz[n * C + p]);
      for (let w = from; w < to; w++) issueReduce(state, p, before, n * H + w, w === 0, x === C - 1, noteWaits);
      if (to === H) row.phiLast[(n % (K + 2)) * C + p] = state.lastSlot[p] - (n * H + H - 1);
    }
  }
}

/** Logs the ramp times of the next `count` wavelets that come to p. */
function logBlock({ row, rampIn, rampInRing, received }: WaveletState, before: number, p: number, count: number): void {
  for (let k = received[p]; k < received[p] + count; k++) {
    const t = rampIn[before * rampInRing + (k % rampInRing)];
    row.rampPsums.append(p, t, t + 1);
  }
}

/** The reduce slot `slot` (n H + w) of position p, and the way of what it sends. */
function issueReduce(
  state: WaveletState,
  p: number,
  before: number,
  slot: number,
  first: boolean,
  last: boolean,
  noteWaits: boolean,
): void {
  const { row, rampOut, rampIn, rampInRing, taken, lastSlot, received, sent } = state;
  const { outputQueue, inputQueue, creditLatency, rampLatency } = row.shape.latencies;
  const begin = first ? Math.max(lastSlot[p] + 1, row.mainCycle[p]) : lastSlot[p] + 1;
  let there = begin;
  if (before >= 0) there = Math.max(begin, rampIn[before * rampInRing + (received[p] % rampInRing)] + rampLatency);
  let y = there;
  if (!last) y = Math.max(there, rampOut[p * outputQueue + (sent[p] % outputQueue)] + creditLatency);
  // In free time the cycles up to here are those without a reduce slot.
  if (noteWaits && y > begin) state.waits[p].push({ from: begin - slot, there: there - slot, to: y - slot });
  lastSlot[p] = y;
  row.reduceSlots.append(p, y, y + 1);
  if (before >= 0) taken[p * inputQueue + (received[p]++ % inputQueue)] = y;
  if (!last) send(state, p, y);
}

function send(state: WaveletState, p: number, y: number): void {
  const { row, hops, rampOut, middle, rampIn, rampInRing, taken, sent } = state;
  const { cols, latencies } = row.shape;
  const { outputQueue, inputQueue, routerBuffer: D, creditLatency, rampLatency, resultLatency } = latencies;
  const k = sent[p]++;
  const q = p + 1 === cols ? 0 : p + 1;
  const inBuffer = k >= D ? rampIn[p * rampInRing + ((k - D) % rampInRing)] : LONG_AGO;
  const two = hops[p] === 2;
  const next = two ? middle[p * D + (k % D)] : inBuffer;
  let t = Math.max(state.lastRampOut[p] + 1, y + resultLatency + rampLatency, next + creditLatency);
  state.lastRampOut[p] = t;
  rampOut[p * outputQueue + (k % outputQueue)] = t;
  if (two) {
    t = Math.max(state.lastMiddle[p] + 1, t + 1, inBuffer + creditLatency);
    state.lastMiddle[p] = t;
    middle[p * D + (k % D)] = t;
  }
  t = Math.max(state.lastRampIn[p] + 1, t + 1, taken[q * inputQueue + (k % inputQueue)] + creditLatency);
  state.lastRampIn[p] = t;
  rampIn[p * rampInRing + (k % rampInRing)] = t;
}

/** Cycles that position p waits for a partial sum and for a credit once its main thread has finished. */
export function waitsAfterMain({ row, waits }: WaveletState, p: number): { waitPartial: number; waitCredit: number } {
  const done = row.mainFree[p];
  let waitPartial = 0;
  let waitCredit = 0;
  for (const { from, there, to } of waits[p]) {
    waitPartial += Math.max(0, there - Math.max(from, done));
    waitCredit += Math.max(0, to - Math.max(there, done));
  }
  return { waitPartial, waitCredit };
}
