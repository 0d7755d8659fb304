// The main threads of one feature, going along the chain, and with them F: from when reduce of the feature can start.
// A position is timed by closed form while its certificate holds; before `watchFrom` nothing about it needs a look.

import { type EmptyRun, streamSpare, streamSpareUntil } from './certificate.ts';
import { logFirstPsums, walkTokens } from './mainTokens.ts';
import { enterTokens, NEVER, type RowState, startLog } from './rowState.ts';

/** Where each position stands in its list of runs of empty cells. */
export interface Watch {
  readonly runs: readonly (readonly EmptyRun[])[];
  readonly next: Int32Array;
  /** Every position stays at the token level for the whole run. */
  readonly always: boolean;
}

/** Fills U and F of feature n. False if the stream may be late where the closed form had been taken: the run is void. */
export function mainFeature(state: RowState, watch: Watch, n: number): boolean {
  const { shape, waves, ends, psums, weightSlots, mainFree, reduceFree, phiLast, token, watchFrom, buffers } = state;
  const { cols: C, accumulators: K, nnz, controlSlots } = shape;
  const rowFree = ((n + 2) % (K + 2)) * C;
  const rowBefore = ((n + K + 1) % (K + 2)) * C;
  const keep = n >= waves - K && n < waves ? (n % K) * C : -1;
  let before = -1;
  let arrived = -1;
  let p = n < waves ? (ends[n] + 1) % C : 0;
  for (let x = 0; x < C; x++) {
    if (n >= watchFrom[p]) {
      if (!watchedCell(state, watch, p, n, x, before)) return false;
    } else {
      const weights = nnz[n * C + p];
      const free = mainFree[p];
      const begin = n >= K && phiLast[rowFree + p] > free ? phiLast[rowFree + p] : free;
      if (streamSpare(shape, psums, n, begin, token[p]) < 0) return false;
      mainFree[p] = begin + weights * weightSlots + controlSlots;
      token[p] += weights + 1;
    }
    let from = mainFree[p];
    if (n > 0 && phiLast[rowBefore + p] > from) from = phiLast[rowBefore + p];
    if (arrived > from) from = arrived;
    reduceFree[p] = from;
    arrived = from + buffers.lead[p];
    if (keep >= 0) state.reduceFrom[keep + p] = from;
    before = p;
    p = p + 1 === C ? 0 : p + 1;
  }
  return true;
}

/** U of one cell whose position is at the token level, or about to be. False if the certificate failed. */
function watchedCell(state: RowState, watch: Watch, p: number, n: number, x: number, before: number): boolean {
  const { shape, weightSlots, mainFree, phiLast, byToken, token } = state;
  const { cols: C, accumulators: K, nnz, controlSlots } = shape;
  const weights = nnz[n * C + p];
  let begin = mainFree[p];
  if (n >= K) begin = Math.max(begin, phiLast[((n + 2) % (K + 2)) * C + p]);
  const spare = streamSpare(shape, state.psums, n, begin, token[p]);
  if (!watch.always) changeLevel(state, watch, p, n, spare);
  if (state.logged[p] !== 0 && x > 0 && n < state.waves) logFirstPsums(state, p, before, n);
  if (byToken[p] !== 0) {
    mainFree[p] = walkTokens(state, p, n, weights);
    return true;
  }
  if (spare < 0) return false;
  mainFree[p] = begin + weights * weightSlots + controlSlots;
  token[p] += weights + 1;
  return true;
}

/** Between closed form and token level, at the start of feature n at position p, whose stream has `spare` time. */
function changeLevel(state: RowState, { runs, next }: Watch, p: number, n: number, spare: number): void {
  const { byToken, logged, token, tokenAtEntry, watchFrom, shape, psums } = state;
  const { inputQueue } = shape.latencies;
  const list = runs[p];
  while (next[p] < list.length && list[next[p]].until < n) next[p]++;
  const run = next[p] < list.length ? list[next[p]] : undefined;
  const inside = run !== undefined && run.from <= n;
  // Features from run.from - K on may still have reduce slots when the run begins: their intervals are needed.
  const nearFrom = run === undefined ? NEVER : run.from - shape.accumulators;
  const near = n >= nearFrom;
  const spareUntil = streamSpareUntil(shape, psums, n, spare);
  if (byToken[p] !== 0) {
    const walked = token[p] - tokenAtEntry[p] >= inputQueue;
    // Soon lost again, it could not be entered once more: intervals before that were not logged.
    const stays = spareUntil > n + inputQueue + shape.accumulators;
    if (!walked || spare < 0 || !stays || inside) return;
    byToken[p] = 0;
    if (!near) logged[p] = 0;
  } else if (near) {
    if (logged[p] === 0) startLog(state, p, n);
    if (inside) enterTokens(state, p);
  }
  watchFrom[p] = byToken[p] !== 0 ? 0 : Math.min(nearFrom, spareUntil);
}
