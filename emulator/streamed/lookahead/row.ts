// One row of the ring by looking ahead: exact for every shape. The positions are visited round and round, along the way of
// the partial sums, and each goes as far as what it knows of its neighbours allows. The one that lies furthest back in
// time can always go on: whatever it does not know comes later than that.

import { MOST_CYCLES } from '../../errors.ts';
import { lawBroken } from '../../laws.ts';
import { CAUSE, CAUSE_COUNT } from '../../program/causes.ts';
import { type ColumnSums, columnSums, columnSumsPlain } from '../columnSums.ts';
import { lawfulRow } from '../rowLaws.ts';
import { axpyElementSlots, type RowTiming, type SpmmShape } from '../shape.ts';
import { advanceMain } from './mainThread.ts';
import { streamPace } from './pace.ts';
import { advanceReduce } from './reduceThread.ts';
import { type LookaheadState, lookaheadState, NEVER, waitsForNothing } from './state.ts';
import { runWasmLookahead, wasmLookahead } from './wasm.ts';

export function lookaheadRow(shape: SpmmShape): RowTiming {
  const state = wasmLookahead(shape, streamPace(shape));
  runWasmLookahead(state);
  return countRow(state, columnSums);
}

/** The same by TypeScript alone: the judge of its WebAssembly twin. */
export function lookaheadRowPlain(shape: SpmmShape): RowTiming {
  return countRow(lookaheadRun(shape), columnSumsPlain);
}

/** The state of a row at its end, by TypeScript alone. */
export function lookaheadRun(shape: SpmmShape): LookaheadState {
  const state = lookaheadState(shape, streamPace(shape));
  while (sweep(state));
  return state;
}

/** Visits every position; returns whether one has slots left. */
function sweep(state: LookaheadState): boolean {
  const { slotBound, feature, shape } = state;
  // The last waves may end before the main thread does.
  const isDone = (p: number): boolean => slotBound[p] === NEVER && feature[p] === shape.features;
  let running = false;
  for (let p = 0; p < shape.cols; p++) {
    if (isDone(p)) continue;
    do advanceReduce(state, p);
    while (advanceMain(state, p));
    // Of a main thread that stopped half way the end is known better than before.
    if (state.tokensLeft[p] > 0) advanceReduce(state, p);
    if (isDone(p)) continue;
    running = true;
    if (slotBound[p] !== NEVER && slotBound[p] > MOST_CYCLES) throw waitsForNothing(p);
  }
  return running;
}

/** Cycles and their causes, position by position, from the free times at the end. */
function countRow(state: LookaheadState, sumColumns: ColumnSums): RowTiming {
  const { shape, psums: H, lastSlot, begin, waves } = state;
  const { cols: C, features: N, axpyOverhead, controlSlots } = shape;
  // Every wave comes after its feature, so that the main thread ends last only where the last features have none.
  const endOf = (p: number): number => (waves < N ? Math.max(lastSlot[p] + 1, waves * H + begin[p]) : lastSlot[p] + 1);
  let cycles = 0;
  for (let p = 0; p < C; p++) cycles = Math.max(cycles, endOf(p));
  const where = new Float64Array(C * CAUSE_COUNT);
  for (let p = 0; p < C; p++) {
    const at = p * CAUSE_COUNT;
    // Each feature has a control wavelet, and the free time of the main thread is its slots and its waits.
    const weights = state.token[p] - N;
    const slots = weights * state.weightSlots + N * controlSlots;
    where[at + CAUSE.compute] = weights * axpyElementSlots(shape);
    where[at + CAUSE.overhead] = weights * axpyOverhead + N * controlSlots;
    where[at + CAUSE.reduce] = waves * H;
    where[at + CAUSE.waitWeights] = state.waitWeights[p];
    where[at + CAUSE.waitThread] = begin[p] - slots - state.waitWeights[p];
    countWaits(state, p, where);
    where[at + CAUSE.done] = cycles - endOf(p);
  }
  sumColumns(shape, state.streamed);
  const timing = lawfulRow({ ...state, path: 'lookahead' }, { cycles, where });
  assertTimes(state);
  return timing;
}

/** A link carries one wavelet a cycle: of those that were last on each, none comes in the cycle of the one before it. */
function assertTimes({ shape, hops, issued, leaveTimes, passTimes, arriveTimes, ...rings }: LookaheadState): void {
  const check = (p: number, times: Int32Array, ring: number): void => {
    for (let k = Math.max(1, issued[p] - ring + 1); k < issued[p]; k++)
      if (times[p * ring + (k & (ring - 1))] <= times[p * ring + ((k - 1) & (ring - 1))])
        throw lawBroken('spmm, lookahead', 'link', `two partial sums of ring position ${p} on one link in one cycle`);
  };
  for (let p = 0; p < shape.cols; p++) {
    check(p, leaveTimes, rings.queueRing);
    if (hops[p] === 2) check(p, passTimes, rings.bufferRing);
    check(p, arriveTimes, rings.arriveRing);
  }
}

/** Once the main thread of p has finished, cycles without a slot go to what its reduce thread waits for. */
function countWaits({ shape, waves, psums: H, waits, begin }: LookaheadState, p: number, where: Float64Array): void {
  const notes = Math.min(shape.accumulators, waves) * H * 3;
  const done = begin[p];
  for (let i = p * notes; i < (p + 1) * notes; i += 3) {
    const [from, there, to] = [waits[i], waits[i + 1], waits[i + 2]];
    where[p * CAUSE_COUNT + CAUSE.waitPartial] += Math.max(0, there - Math.max(from, done));
    where[p * CAUSE_COUNT + CAUSE.waitCredit] += Math.max(0, to - Math.max(there, done));
  }
}
