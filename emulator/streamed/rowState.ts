// The state of the fast engine for one row of the ring, in "free time": cycle t of a core has t - (reduce slots before t)
// cycles of free time before it. Every core issues exactly H reduce slots a feature, and they go before the main thread,
// so in free time the main thread runs undisturbed and preemption, ring, accumulators and back-pressure become maxima
// and sums:
//   Phi_p(n, w)  free time of reduce slot w of feature n at position p: y_p(n, w) - (n H + w); never falls
//   U_p(n)       free time in which the main thread has finished the control wavelet of n
//   F_p(n)       free time from which reduce of n can start, before credits: Phi_p(n, 0) >= F_p(n)
// Phi_p(n, .) is a staircase, kept as pieces (first wavelet, level) for the three latest features. Most have one piece,
// so the levels of first pieces lie side by side.

import { type Arena, plainArena } from './arena.ts';
import { endsOf, psumWavelets, type SpmmShape, wavesOf } from './shape.ts';
import { type RingBuffers, ringBuffers } from './buffers.ts';
import { Segments } from './segments.ts';

/** Features whose staircases are kept. */
export const PIECE_BANKS = 3;

/** Later than any feature. */
export const NEVER = 0x7fffffff;

/** Long before any cycle of a run; far enough from the limit of 32 bits to be added to. */
export const LONG_AGO = -0x20000000;

export interface RowState {
  readonly shape: SpmmShape;
  readonly waves: number;
  /** Where the sums of each wave end. */
  readonly ends: Uint16Array;
  readonly buffers: RingBuffers;
  /** H. */
  readonly psums: number;
  /** Slots of one weight, overhead included. */
  readonly weightSlots: number;

  readonly mainFree: Int32Array;
  readonly reduceFree: Int32Array;
  /** Phi(n, H - 1) of the latest K + 2 features: entry (n mod (K + 2)) * C + p. */
  readonly phiLast: Int32Array;
  /** F of the latest K features. */
  readonly reduceFrom: Int32Array;
  /** Staircases, of cell (n mod 3) * C + p: how many pieces, the level of the first, which begins at wavelet 0. */
  readonly pieceCount: Int32Array;
  readonly firstLevel: Int32Array;
  /** The others, i >= 1: entry cell * H + i. */
  readonly pieceAt: Int32Array;
  readonly pieceLevel: Int32Array;

  /** By position: is its main thread walked token by token; are its intervals logged. */
  readonly byToken: Uint8Array;
  readonly logged: Uint8Array;
  /** By position: the feature from which on watchedCell must look at it. */
  readonly watchFrom: Int32Array;
  /** Index of the next token (weight or control wavelet), and where it was when the token level was entered. */
  readonly token: Int32Array;
  readonly tokenAtEntry: Int32Array;
  readonly lastEntered: Int32Array;
  readonly lastRamp: Int32Array;
  /** Cycle from which the main thread can issue next. */
  readonly mainCycle: Int32Array;
  /** Ramp times of the latest routerBuffer tokens and first slots of the latest inputQueue tokens. */
  readonly rampTimes: Int32Array;
  readonly slotTimes: Int32Array;
  readonly rampLevel: Int32Array;
  /** Of the WebAssembly twin: the way along the chain. */
  readonly skew: Int32Array;
  readonly reduceSlots: Segments;
  readonly rampPsums: Segments;

  readonly waitWeights: Float64Array;
  /** For the laws at the end: the non-zeros of each position (columnSums.ts). */
  readonly streamed: Int32Array;
}

/** The state of a row before its first feature; `shape.nnz` is taken as it is. */
export function rowState(shape: SpmmShape, { ints, flags, floats, counts }: Arena = plainArena): RowState {
  const { cols: C, accumulators: K, latencies } = shape;
  const H = psumWavelets(shape);
  // Between the pointer and the end lie at most the intervals of the K + 1 features that main may be ahead by.
  const intervals = (K + 3) * (H + 1);
  const waves = wavesOf(shape);
  const ends = counts(waves);
  // Counting an arena's bytes gives arrays without entries.
  if (ends.length > 0) ends.set(endsOf(shape));
  return {
    shape,
    waves,
    ends,
    buffers: ringBuffers(C, latencies, ints),
    psums: H,
    weightSlots: shape.axpyOverhead + Math.ceil(shape.tokens / shape.simd),
    mainFree: ints(C),
    reduceFree: ints(C),
    phiLast: ints((K + 2) * C),
    reduceFrom: ints(K * C),
    pieceCount: ints(PIECE_BANKS * C),
    firstLevel: ints(PIECE_BANKS * C),
    pieceAt: ints(PIECE_BANKS * C * H),
    pieceLevel: ints(PIECE_BANKS * C * H),
    byToken: flags(C),
    logged: flags(C),
    watchFrom: ints(C),
    token: ints(C),
    tokenAtEntry: ints(C),
    lastEntered: ints(C),
    lastRamp: ints(C),
    mainCycle: ints(C),
    rampTimes: ints(C * latencies.routerBuffer),
    slotTimes: ints(C * latencies.inputQueue),
    rampLevel: ints(C),
    skew: ints(C),
    reduceSlots: new Segments(C, intervals, ints),
    rampPsums: new Segments(C, intervals, ints),
    waitWeights: floats(C),
    streamed: ints(C),
  };
}

/** Level of piece i of a staircase. */
export function levelOf({ firstLevel, pieceLevel, psums }: RowState, cell: number, i: number): number {
  return i === 0 ? firstLevel[cell] : pieceLevel[cell * psums + i];
}

/** Starts logging the intervals of position p, with feature n the first to be logged. */
export function startLog(state: RowState, p: number, n: number): void {
  state.logged[p] = 1;
  state.reduceSlots.reset(p, n * state.psums);
  state.rampPsums.reset(p, 0);
}

/**
 * Enters the token level at position p, at the start of a feature. What happened before is forgotten: at the start of a
 * run there is nothing, and later the certificate says that it could not have mattered.
 */
export function enterTokens(state: RowState, p: number): void {
  const { routerBuffer, inputQueue } = state.shape.latencies;
  state.byToken[p] = 1;
  state.tokenAtEntry[p] = state.token[p];
  state.lastEntered[p] = LONG_AGO;
  state.lastRamp[p] = LONG_AGO;
  state.rampTimes.fill(LONG_AGO, p * routerBuffer, (p + 1) * routerBuffer);
  state.slotTimes.fill(LONG_AGO, p * inputQueue, (p + 1) * inputQueue);
  state.mainCycle[p] = state.reduceSlots.cycleOf(p, state.mainFree[p]);
}
