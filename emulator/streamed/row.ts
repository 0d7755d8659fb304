// One row of the ring without stepping it, exactly, in two ways: by closed forms, or with the main threads token by token.
// Feature by feature, main threads go along the chain and reduce threads back. What both need of a shape is said by
// `whyNotClosed`; any other is for looking ahead (lookahead/row.ts).

import { internalError } from '../errors.ts';
import { lawBroken } from '../laws.ts';
import { CAUSE, CAUSE_COUNT } from '../program/causes.ts';
import { isRateOne, ringBuffers } from './buffers.ts';
import { type EmptyRun, emptyRuns, weightsPaceStream } from './certificate.ts';
import { type ColumnSums, columnSums, columnSumsPlain } from './columnSums.ts';
import { mainFeature, type Watch } from './main.ts';
import { reduceFeature } from './reduce.ts';
import { lawfulRow } from './rowLaws.ts';
import { enterTokens, levelOf, PIECE_BANKS, type RowState, rowState, startLog } from './rowState.ts';
import { runWasmRow, runWasmTokens, wasmRowState } from './wasmRow.ts';
import { axpyElementSlots, psumWavelets, type RowTiming, type SpmmShape } from './shape.ts';

/** Why the reduce closed form does not hold for a shape; undefined if it does. */
export function whyNotClosed(shape: SpmmShape): string | undefined {
  if (!isRateOne(shape.latencies)) return 'the buffers do not pass one wavelet a cycle';
  const slack = Math.max(...ringBuffers(shape.cols, shape.latencies).slack);
  const psums = psumWavelets(shape);
  if (psums < slack)
    return `a feature has ${psums} partial-sum wavelets, fewer than the ${slack} that the buffers hold`;
  return undefined;
}

/** The closed form of the main thread where its certificate holds; undefined if the stream may be late. */
export function closedRow(shape: SpmmShape): RowTiming | undefined {
  if (!weightsPaceStream(shape)) return undefined;
  const state = wasmRowState(shape);
  startRow(state);
  return runWasmRow(state) ? countRow(state, 'closed form', columnSums) : undefined;
}

/** The same by TypeScript alone: the judge of its WebAssembly twin. */
export function closedRowPlain(shape: SpmmShape): RowTiming | undefined {
  return weightsPaceStream(shape) ? plainRow(shape, false) : undefined;
}

/** Every main thread token by token: exact for any stream. */
export function tokenRow(shape: SpmmShape): RowTiming {
  const state = wasmRowState(shape);
  startRow(state);
  runWasmTokens(state);
  return countRow(state, 'token level', columnSums);
}

/** The same by TypeScript alone. */
export function tokenRowPlain(shape: SpmmShape): RowTiming {
  const timing = plainRow(shape, true);
  if (timing === undefined) throw internalError('the token level needs no certificate');
  return timing;
}

function startRow(state: RowState): void {
  for (let p = 0; p < state.shape.cols; p++) {
    startLog(state, p, 0);
    enterTokens(state, p);
  }
}

/** Without runs: every position stays at the token level. */
function watchOf({ cols }: SpmmShape, runs: readonly (readonly EmptyRun[])[] | undefined): Watch {
  return { runs: runs ?? [], next: new Int32Array(cols), always: runs === undefined };
}

function plainRow(shape: SpmmShape, always: boolean): RowTiming | undefined {
  const state = rowState(shape);
  startRow(state);
  const watch = watchOf(shape, always ? undefined : emptyRuns(shape));
  for (let n = 0; n < shape.features; n++) {
    if (!mainFeature(state, watch, n)) return undefined;
    if (n < state.waves) reduceFeature(state, n);
  }
  return countRow(state, always ? 'token level' : 'closed form', columnSumsPlain);
}

/** Once the main thread of p has finished, cycles without a slot go to what its reduce thread waits for. */
function waitsInPieces(state: RowState, p: number): { waitPartial: number; waitCredit: number } {
  const { waves: N, shape } = state;
  const { cols: C, accumulators: K } = shape;
  let cur = state.mainFree[p];
  let waitPartial = 0;
  let waitCredit = 0;
  for (let m = Math.max(0, N - K); m < N; m++) {
    const from = state.reduceFrom[(m % K) * C + p];
    const to = state.phiLast[(m % (K + 2)) * C + p];
    if (from > cur) {
      waitPartial += from - cur;
      cur = from;
    }
    if (to > cur) {
      waitCredit += to - cur;
      cur = to;
    }
  }
  return { waitPartial, waitCredit };
}

/** Cycles and their causes, position by position, from the free times at the end. */
function countRow(state: RowState, path: string, sumColumns: ColumnSums): RowTiming {
  const { shape, psums: H, phiLast, mainFree, waves } = state;
  const { cols: C, features: N, accumulators: K, axpyOverhead, controlSlots } = shape;
  const last = ((waves - 1) % (K + 2)) * C;
  // Every wave comes after its feature, so that the main thread ends last only where the last features have none.
  const endOf = (p: number): number =>
    waves * H + (waves < N ? Math.max(phiLast[last + p], mainFree[p]) : phiLast[last + p]);
  let cycles = 0;
  for (let p = 0; p < C; p++) cycles = Math.max(cycles, endOf(p));
  const where = new Float64Array(C * CAUSE_COUNT);
  for (let p = 0; p < C; p++) {
    const { waitPartial, waitCredit } = waitsInPieces(state, p);
    const at = p * CAUSE_COUNT;
    // Each feature has a control wavelet, and the free time of the main thread is its slots and its waits.
    const weights = state.token[p] - N;
    const slots = weights * state.weightSlots + N * controlSlots;
    where[at + CAUSE.compute] = weights * axpyElementSlots(shape);
    where[at + CAUSE.overhead] = weights * axpyOverhead + N * controlSlots;
    where[at + CAUSE.reduce] = waves * H;
    where[at + CAUSE.waitWeights] = state.waitWeights[p];
    where[at + CAUSE.waitThread] = mainFree[p] - slots - state.waitWeights[p];
    where[at + CAUSE.waitPartial] = waitPartial;
    where[at + CAUSE.waitCredit] = waitCredit;
    where[at + CAUSE.done] = cycles - endOf(p);
  }
  sumColumns(shape, state.streamed);
  const timing = lawfulRow({ ...state, path }, { cycles, where });
  assertStaircases(state, path);
  return timing;
}

/**
 * Of the latest wave at each position: a link carries its partial sums one a cycle, so that none comes before the one
 * before it, and the next position has none before it could have come.
 */
function assertStaircases(state: RowState, path: string): void {
  const { shape, waves: N, buffers, ends, psums: H, firstLevel, phiLast, pieceAt, pieceCount } = state;
  const { cols: C, accumulators: K } = shape;
  const bank = ((N - 1) % PIECE_BANKS) * C;
  const last = ((N - 1) % (K + 2)) * C;
  for (let p = 0; p < C; p++) {
    const cell = bank + p;
    const pieces = pieceCount[cell];
    for (let i = 1; i < pieces; i++) {
      const isLater = pieceAt[cell * H + i] > (i === 1 ? 0 : pieceAt[cell * H + i - 1]) && pieceAt[cell * H + i] < H;
      if (!isLater || levelOf(state, cell, i) < levelOf(state, cell, i - 1))
        throw lawBroken(`spmm, ${path}`, 'link', `two partial sums of ring position ${p} in one cycle`);
    }
    const next = p + 1 === C ? 0 : p + 1;
    const isSent = p !== ends[N - 1];
    const way = buffers.lead[p];
    if (isSent && (firstLevel[bank + next] < firstLevel[cell] + way || phiLast[last + next] < phiLast[last + p] + way))
      throw lawBroken(
        `spmm, ${path}`,
        'link',
        `ring position ${next} takes a partial sum before ${p} can have sent it`,
      );
  }
}
