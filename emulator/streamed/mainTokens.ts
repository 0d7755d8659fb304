// The main thread token by token: when each weight or control wavelet enters at the edge, passes the ramp and gets its
// first slot. Needed where the stream may be late; elsewhere main.ts has a closed form. Times here are cycles, the
// result is free time.

import { levelOf, type RowState } from './rowState.ts';

/**
 * Walks the `weights` tokens of feature n at position p and its control wavelet; returns U_p(n).
 * The psums that reach the core before the control wavelet is finished are already in `rampPsums`.
 */
export function walkTokens(state: RowState, p: number, n: number, weights: number): number {
  const { shape, psums: H, weightSlots, reduceSlots, rampPsums, rampTimes, slotTimes } = state;
  const { accumulators: K, cols: C, gap, controlSlots, latencies } = shape;
  const { routerBuffer: D, inputQueue: IQ, creditLatency, rampLatency } = latencies;
  const [gapNumerator, gapDenominator] = gap;
  let begin = state.mainFree[p];
  let cycle = state.mainCycle[p];
  if (n >= K) {
    const free = state.phiLast[((n - K) % (K + 2)) * C + p];
    if (free > begin) begin = free;
    const freeCycle = (n - K + 1) * H + free;
    if (freeCycle > cycle) cycle = freeCycle;
  }
  let entered = state.lastEntered[p];
  let ramp = state.lastRamp[p];
  let j = state.token[p];
  let starved = 0;
  for (let left = weights; left >= 0; left--, j++) {
    const inBuffer = p * D + (j % D);
    const inQueue = p * IQ + (j % IQ);
    entered = Math.max(
      Math.ceil((j * gapNumerator) / gapDenominator),
      entered + 1,
      rampTimes[inBuffer] + creditLatency,
    );
    ramp = rampPsums.firstFree(p, Math.max(entered + 1, ramp + 1, slotTimes[inQueue] + creditLatency));
    const first = reduceSlots.firstFree(p, Math.max(cycle, ramp + rampLatency));
    const free = first - reduceSlots.passed[p];
    starved += free - begin;
    const slots = left > 0 ? weightSlots : controlSlots;
    cycle = reduceSlots.afterFree(p, first, slots);
    begin = free + slots;
    rampTimes[inBuffer] = ramp;
    slotTimes[inQueue] = first;
  }
  state.waitWeights[p] += starved;
  state.lastEntered[p] = entered;
  state.lastRamp[p] = ramp;
  state.token[p] = j;
  state.mainCycle[p] = cycle;
  return begin;
}

/** Logs the ramp times of the first inputQueue psums of feature n, which come to p from position `from`. */
export function logFirstPsums(state: RowState, p: number, from: number, n: number): void {
  const { shape, psums: H, buffers, reduceFree } = state;
  const { cols: C, latencies } = shape;
  const { inputQueue: IQ, creditLatency, rampLatency } = latencies;
  const base = n * H;
  let level = reduceFree[from] + buffers.lead[from] - rampLatency;
  let w = 0;
  // The link into p does not carry the features that end before it.
  const skips = n > 0 && state.ends[n - 1] === from;
  const before = skips ? n - 2 : n - 1;
  if (before >= 0) {
    const shift = creditLatency - IQ - (skips ? H : 0);
    const bank = (before % 3) * C + p;
    const pieces = bank * H;
    for (let i = 0; i < state.pieceCount[bank]; i++) {
      const lifted = levelOf(state, bank, i) + shift;
      if (lifted <= level) continue;
      const at = Math.max(0, state.pieceAt[pieces + i] - (H - IQ));
      if (at > w) state.rampPsums.append(p, base + w + level, base + at + level);
      w = Math.max(w, at);
      level = lifted;
    }
  }
  state.rampPsums.append(p, base + w + level, base + IQ + level);
  state.rampLevel[p] = level;
}

/** Logs the ramp times of the other psums of feature n, once its reduce slots at p are known. */
export function logOtherPsums(state: RowState, p: number, n: number): void {
  const { shape, psums: H } = state;
  const { inputQueue: IQ, creditLatency } = shape.latencies;
  const bank = (n % 3) * shape.cols + p;
  const base = n * H;
  let level = state.rampLevel[p];
  let w = IQ;
  for (let i = 0; i < state.pieceCount[bank]; i++) {
    const lifted = levelOf(state, bank, i) + creditLatency - IQ;
    const at = state.pieceAt[bank * H + i] + IQ;
    if (lifted <= level || at >= H) continue;
    if (at > w) state.rampPsums.append(p, base + w + level, base + at + level);
    w = at;
    level = lifted;
  }
  state.rampPsums.append(p, base + w + level, base + H + level);
}

/** Logs the reduce slots of feature n at p. */
export function logReduceSlots(state: RowState, p: number, n: number): void {
  const { shape, psums: H, reduceSlots } = state;
  const bank = (n % 3) * shape.cols + p;
  const count = state.pieceCount[bank];
  for (let i = 0; i < count; i++) {
    const level = levelOf(state, bank, i) + n * H;
    const to = i + 1 < count ? state.pieceAt[bank * H + i + 1] : H;
    reduceSlots.append(p, state.pieceAt[bank * H + i] + level, to + level);
  }
}
