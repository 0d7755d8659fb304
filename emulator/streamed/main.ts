// The main threads of one feature, going along the chain, and with them F: from when reduce of the feature can start.

import { type EmptyRun, streamMargin } from './certificate.ts';
import { logFirstPsums, walkTokens } from './mainTokens.ts';
import { enterTokens, type RowState, startLog } from './rowState.ts';

/** Where each position stands in its list of runs of empty cells. */
export interface Watch {
  readonly runs: readonly (readonly EmptyRun[])[];
  readonly next: Int32Array;
  /** Every position stays at the token level for the whole run. */
  readonly always: boolean;
}

/** Fills U and F of feature n. False if the stream may be late where the closed form had been taken: the run is void. */
export function mainFeature(state: RowState, watch: Watch, n: number): boolean {
  const { shape, weightSlots, mainFree, reduceFree, phiLast, byToken, token, buffers } = state;
  const { cols: C, accumulators: K, nnz, gap, controlSlots, features } = shape;
  const [gapNumerator, gapDenominator] = gap;
  const margin = streamMargin(shape) * gapDenominator;
  const rowFree = ((n - K + K + 2) % (K + 2)) * C;
  const rowBefore = ((n + K + 1) % (K + 2)) * C;
  const keep = n >= features - K ? (n % K) * C : -1;
  let before = -1;
  let p = (n + 1) % C;
  for (let x = 0; x < C; x++) {
    const weights = nnz[n * C + p];
    let begin = mainFree[p];
    if (n >= K && phiLast[rowFree + p] > begin) begin = phiLast[rowFree + p];
    const early = begin * gapDenominator >= token[p] * gapNumerator + margin;
    if (!watch.always) changeLevel(state, watch, p, n, early);
    if (state.logged[p] !== 0 && x > 0) logFirstPsums(state, p, before, n);
    let u: number;
    if (byToken[p] !== 0) u = walkTokens(state, p, n, weights);
    else {
      if (!early) return false;
      state.waitThread[p] += begin - mainFree[p];
      u = begin + weights * weightSlots + controlSlots;
      token[p] += weights + 1;
    }
    state.weights[p] += weights;
    mainFree[p] = u;
    if (n > 0 && phiLast[rowBefore + p] > u) u = phiLast[rowBefore + p];
    if (x > 0) {
      const arrived = reduceFree[before] + buffers.lead[before];
      if (arrived > u) u = arrived;
    }
    reduceFree[p] = u;
    if (keep >= 0) state.reduceFrom[keep + p] = u;
    before = p;
    p = p + 1 === C ? 0 : p + 1;
  }
  return true;
}

/** Between closed form and token level, at the start of feature n at position p. */
function changeLevel(state: RowState, { runs, next }: Watch, p: number, n: number, early: boolean): void {
  const { byToken, logged, token, tokenAtEntry, shape } = state;
  const { inputQueue } = shape.latencies;
  const list = runs[p];
  while (next[p] < list.length && list[next[p]].until < n) next[p]++;
  const run = next[p] < list.length ? list[next[p]] : undefined;
  const inside = run !== undefined && run.from <= n;
  // Features from run.from - K on may still have reduce slots when the run begins: their intervals are needed.
  const near = run !== undefined && n >= run.from - shape.accumulators;
  if (byToken[p] !== 0) {
    const walked = token[p] - tokenAtEntry[p] >= inputQueue;
    if (walked && early && !inside) {
      byToken[p] = 0;
      if (!near) logged[p] = 0;
    }
    return;
  }
  if (near && logged[p] === 0) startLog(state, p, n);
  if (inside) enterTokens(state, p);
}
