// One row of the ring by looking ahead, for any shape and any buffers: what each position knows. All numbers are cycles
// but for those said to be free time (rowState.ts). A position gives out cycles as far as it knows what could change them:
// the thread and the wavelets with priority by their times, and beyond those by a cycle before which no other can come.
//
// Indices: slot s = n H + w is reduce slot w of feature n; wavelet k is the k-th on the link out of a position, which does
// not carry the features that end there; token j is the j-th of the stream of a position, control wavelets counted.
// Rings hold what is still asked for; entry i of the ring of p is p * size + (i & (size - 1)).

import { type EmulateError, internalError } from '../../errors.ts';
import { hopsFrom } from '../../program/ring.ts';
import { axpyElementSlots, endsOf, psumWavelets, type SpmmShape, wavesOf } from '../shape.ts';
import { type Arena, plainArena } from '../arena.ts';
import { LONG_AGO } from '../rowState.ts';
import type { Pace } from './pace.ts';

/** Later than any cycle. */
export const NEVER = 0x7fffffff;

export interface LookaheadState {
  readonly shape: SpmmShape;
  /** H. */
  readonly psums: number;
  /** Slots of one weight, overhead included. */
  readonly weightSlots: number;
  readonly hops: Int32Array;

  readonly waves: number;
  /** Where the sums of each wave end. */
  readonly ends: Uint16Array;
  /** Reduce thread: next slot, its feature, and the cycle of the slot before. */
  readonly slot: Int32Array;
  readonly slotFeature: Int32Array;
  readonly lastSlot: Int32Array;
  /** No slot that is not known yet is issued before this cycle; NEVER when all are known. */
  readonly slotBound: Int32Array;
  /** Ring: cycles of slots. */
  readonly slots: Int32Array;
  readonly slotRing: number;

  /** Link out: wavelets issued, out of the sender's ramp, past the middle router, on the receiver's ramp, taken. */
  readonly issued: Int32Array;
  readonly gone: Int32Array;
  readonly middle: Int32Array;
  readonly arrived: Int32Array;
  readonly taken: Int32Array;
  /** Rings of the cycles in which they were. */
  readonly issueTimes: Int32Array;
  readonly leaveTimes: Int32Array;
  readonly queueRing: number;
  readonly passTimes: Int32Array;
  readonly bufferRing: number;
  readonly arriveTimes: Int32Array;
  readonly arriveRing: number;
  readonly takeTimes: Int32Array;
  readonly takeRing: number;

  /** When the stream of a position is known to keep ahead (pace.ts), and 1 once it is: its tokens are only counted then. */
  readonly aheadFrom: Int32Array;
  readonly aheadLead: Float64Array;
  readonly ahead: Uint8Array;
  /** Main thread: its feature, tokens of it not placed yet (0: not begun), and the next token of the stream. */
  readonly feature: Int32Array;
  readonly tokensLeft: Int32Array;
  readonly token: Int32Array;
  /** Free time from which the next token can have its first slot, and of the end of the latest K + 1 features (a ring). */
  readonly begin: Int32Array;
  readonly doneAt: Int32Array;
  readonly doneRing: number;
  /** Reduce slots before the latest token's first slot; wavelets on the ramp before that token. */
  readonly slotsPassed: Int32Array;
  readonly psumsPassed: Int32Array;
  /** Cycle before which the next token has no slot, where its walk has stopped. */
  readonly notBefore: Int32Array;
  /** The next token is due in `due`, and the stream has then `dueSlack` / gapDenominator cycles too much. */
  readonly due: Int32Array;
  readonly dueSlack: Int32Array;
  readonly entered: Int32Array;
  readonly ramp: Int32Array;
  /** Rings of ramp times and first slots of tokens. */
  readonly rampTimes: Int32Array;
  readonly firstSlots: Int32Array;
  readonly waitWeights: Float64Array;

  /** Of the latest K features, slot by slot, free times: from when the slot could be, had its wavelet, had its credit. */
  readonly waits: Int32Array;
  /** For the laws at the end: the non-zeros of each position (columnSums.ts). */
  readonly streamed: Int32Array;
}

/** Entries of a ring that holds `entries`: a power of two. */
function ringOf(entries: number): number {
  let size = 1;
  while (size < entries) size *= 2;
  return size;
}

export function lookaheadState(
  shape: SpmmShape,
  pace: Pace,
  { ints, floats, flags, counts }: Arena = plainArena,
): LookaheadState {
  const { cols: C, accumulators: K, latencies } = shape;
  const { routerBuffer: D, inputQueue: IQ, outputQueue: OQ } = latencies;
  const H = psumWavelets(shape);
  // Main may be K features ahead of the reduce thread, and the first wait for an accumulator looks K back.
  const slotRing = ringOf((K + 2) * H);
  // A wavelet that left the ramp may still lie in the next buffer.
  const queueRing = ringOf(Math.max(OQ, D + 1));
  const bufferRing = ringOf(D);
  const takeRing = ringOf(IQ);
  // A token reaches the ramp after the first slot of the one IQ before it, which is at most IQ + 1 features earlier.
  const arriveRing = ringOf((K + IQ + 1) * H + IQ + D);
  const doneRing = ringOf(K + 1);
  const longAgo = (length: number): Int32Array => ints(length).fill(LONG_AGO);
  const waves = wavesOf(shape);
  const ends = counts(waves);
  // Counting an arena's bytes gives arrays without entries.
  if (ends.length > 0) ends.set(endsOf(shape));
  const state: LookaheadState = {
    shape,
    waves,
    ends,
    psums: H,
    weightSlots: shape.axpyOverhead + axpyElementSlots(shape),
    hops: ints(C),
    slot: ints(C),
    slotFeature: ints(C),
    lastSlot: ints(C).fill(-1),
    slotBound: ints(C),
    slots: ints(C * slotRing),
    slotRing,
    issued: ints(C),
    gone: ints(C),
    middle: ints(C),
    arrived: ints(C),
    taken: ints(C),
    issueTimes: ints(C * queueRing),
    leaveTimes: ints(C * queueRing),
    queueRing,
    passTimes: ints(C * bufferRing),
    bufferRing,
    arriveTimes: ints(C * arriveRing),
    arriveRing,
    takeTimes: ints(C * takeRing),
    takeRing,
    aheadFrom: ints(C),
    aheadLead: floats(C),
    ahead: flags(C),
    feature: ints(C),
    tokensLeft: ints(C),
    token: ints(C),
    begin: ints(C),
    doneAt: ints(C * doneRing),
    doneRing,
    slotsPassed: ints(C),
    psumsPassed: ints(C),
    notBefore: ints(C),
    due: ints(C),
    dueSlack: ints(C),
    entered: longAgo(C),
    ramp: longAgo(C),
    rampTimes: longAgo(C * bufferRing),
    firstSlots: longAgo(C * takeRing),
    waitWeights: floats(C),
    waits: ints(C * Math.min(K, waves) * H * 3),
    streamed: ints(C),
  };
  for (let p = 0; p < state.hops.length; p++) {
    state.aheadFrom[p] = pace.from[p];
    state.aheadLead[p] = pace.lead[p];
    state.hops[p] = hopsFrom(p, C);
  }
  return state;
}

/** No program of this kernel can lock up, so a bound beyond all cycles is a defect. */
export function waitsForNothing(p: number): EmulateError {
  return internalError(`position ${p} of a row waits for what never comes`);
}
