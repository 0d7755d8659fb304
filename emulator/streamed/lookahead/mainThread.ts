// The main thread of a position, token by token as in mainTokens.ts, as far as is known what goes before it: partial sums
// on its ramp, and slots of its reduce thread.

import { psumBound } from './reduceThread.ts';
import { type LookaheadState, NEVER } from './state.ts';

/** Begins the next feature if its accumulator is known to be free; returns whether there is one to walk. */
function beginFeature(state: LookaheadState, p: number): boolean {
  const { shape, psums: H, slotRing, aheadFrom, aheadLead } = state;
  const { accumulators: K, cols: C, features, nnz, gap } = shape;
  const n = state.feature[p];
  if (n === features) return false;
  if (n >= K) {
    const s = (n - K + 1) * H - 1;
    if (s >= state.slot[p]) return false;
    const free = state.slots[p * slotRing + (s & (slotRing - 1))] - s;
    if (free > state.begin[p]) state.begin[p] = free;
  }
  state.tokensLeft[p] = nnz[n * C + p] + 1;
  if (state.ahead[p] === 0 && n >= aheadFrom[p]) {
    const ahead = (state.begin[p] - state.due[p]) * gap[1] + state.dueSlack[p];
    if (ahead >= aheadLead[p]) state.ahead[p] = 1;
  }
  return true;
}

function finishFeature(state: LookaheadState, p: number, free: number): void {
  const n = state.feature[p]++;
  state.begin[p] = free;
  state.doneAt[p * state.doneRing + (n & (state.doneRing - 1))] = free;
}

/**
 * Goes to the end of a feature, or as far as is known; returns whether it finished one. Where the stream keeps ahead,
 * goes on to where the next accumulator is not known to be free.
 */
export function advanceMain(state: LookaheadState, p: number): boolean {
  const { shape, weightSlots, tokensLeft, begin, token, ahead } = state;
  let finished = false;
  while (tokensLeft[p] > 0 || beginFeature(state, p)) {
    if (ahead[p] === 0) return walkFeature(state, p);
    const tokens = tokensLeft[p];
    token[p] += tokens;
    tokensLeft[p] = 0;
    finishFeature(state, p, begin[p] + (tokens - 1) * weightSlots + shape.controlSlots);
    finished = true;
  }
  return finished;
}

function walkFeature(state: LookaheadState, p: number): boolean {
  const { shape, weightSlots, bufferRing, takeRing, arriveRing, slotRing } = state;
  const { rampTimes, firstSlots, arriveTimes, slots } = state;
  const { gap, controlSlots, cols: C, latencies } = shape;
  const { routerBuffer: D, inputQueue: IQ, creditLatency, rampLatency } = latencies;
  const [numerator, denominator] = gap;
  const gapCycles = Math.floor(numerator / denominator);
  const gapRest = numerator % denominator;
  const from = p === 0 ? C - 1 : p - 1;
  const arrived = C > 1 ? state.arrived[from] : 0;
  const known = state.slot[p];
  // While the reduce thread itself waits for this feature, nothing unknown can come before the end of it but a wavelet.
  const waiting = state.slotFeature[p] === state.feature[p];
  const slotBound = waiting ? NEVER : state.slotBound[p];
  const full = C === 1 || (waiting && arrived === state.taken[from] + IQ);
  const rampBound = full ? NEVER : psumBound(state, p);
  let { due, slack } = { due: state.due[p], slack: state.dueSlack[p] };
  let entered = state.entered[p];
  let ramp = state.ramp[p];
  let begin = state.begin[p];
  let before = state.slotsPassed[p];
  let sums = state.psumsPassed[p];
  let j = state.token[p];
  let left = state.tokensLeft[p];
  let starved = 0;
  let notBefore = 0;
  for (; left > 0; left--, j++) {
    const enters = Math.max(due, entered + 1, rampTimes[p * bufferRing + ((j - D) & (bufferRing - 1))] + creditLatency);
    let t = Math.max(enters + 1, ramp + 1, firstSlots[p * takeRing + ((j - IQ) & (takeRing - 1))] + creditLatency);
    let k = sums;
    for (; k < arrived; k++) {
      const other = arriveTimes[from * arriveRing + (k & (arriveRing - 1))];
      if (other > t) break;
      if (other === t) t++;
    }
    if (k === arrived && t >= rampBound) {
      notBefore = t + rampLatency;
      break;
    }
    let c = Math.max(begin + before, t + rampLatency);
    let passed = before;
    for (; passed < known; ) {
      const y = slots[p * slotRing + (passed & (slotRing - 1))];
      if (y > c) break;
      passed++;
      c = Math.max(begin + passed, y === c ? c + 1 : c);
    }
    if (passed === known && c >= slotBound) {
      notBefore = c;
      break;
    }
    sums = k;
    before = passed;
    starved += c - before - begin;
    begin = c - before + (left > 1 ? weightSlots : controlSlots);
    entered = enters;
    ramp = t;
    rampTimes[p * bufferRing + (j & (bufferRing - 1))] = t;
    firstSlots[p * takeRing + (j & (takeRing - 1))] = c;
    due += gapCycles;
    slack -= gapRest;
    if (slack < 0) {
      slack += denominator;
      due++;
    }
  }
  state.waitWeights[p] += starved;
  state.due[p] = due;
  state.dueSlack[p] = slack;
  state.entered[p] = entered;
  state.ramp[p] = ramp;
  state.begin[p] = begin;
  state.slotsPassed[p] = before;
  state.psumsPassed[p] = sums;
  state.token[p] = j;
  state.tokensLeft[p] = left;
  state.notBefore[p] = notBefore;
  if (left > 0) return false;
  finishFeature(state, p, begin);
  return true;
}
