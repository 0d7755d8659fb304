// The closed forms of a row by the WebAssembly twin: the same arrays in its memory, positions at the token level handed
// back to TypeScript.

import { type EmptyRun, emptyRun, shortestRun } from './certificate.ts';
import { ARENA_START, findRuns, runRow, wasmKernels } from '../wasm/module.ts';
import { type Arena, arenaBytes, arenaIn } from './arena.ts';
import { type Watch, watchedCell } from './main.ts';
import { logOtherPsums, logReduceSlots } from './mainTokens.ts';
import { type RowState, rowState } from './rowState.ts';
import type { SpmmShape } from './shape.ts';

const PARAMETERS = 48;

/** Cells of 16 bits are read in whole vectors, beyond the last. */
const VECTOR_CELLS = 8;

interface WasmRow {
  readonly state: RowState;
  readonly lengths: Uint16Array;
  readonly parameters: Int32Array;
}

/** The row's arrays, cells included, in an arena. */
function layRow(shape: SpmmShape, arena: Arena): WasmRow {
  const nnz = arena.counts(shape.nnz.length + VECTOR_CELLS);
  if (nnz.length > 0) nnz.set(shape.nnz);
  const state = rowState({ ...shape, nnz }, arena);
  return { state, lengths: arena.counts(shape.cols + VECTOR_CELLS), parameters: arena.ints(PARAMETERS) };
}

function addresses(arrays: readonly { readonly byteOffset: number }[]): number[] {
  return arrays.map(({ byteOffset }) => byteOffset);
}

/** Sizes and addresses in the order in which assembly/row.ts and tokens.ts read them. */
function parametersOf(state: RowState): number[] {
  const { shape, buffers, reduceSlots, rampPsums } = state;
  const { cols, features, accumulators, gap, controlSlots, latencies } = shape;
  const { routerBuffer, inputQueue, creditLatency, rampLatency } = latencies;
  const sizes = [cols, features, accumulators, state.psums, state.weightSlots, controlSlots, gap[0], gap[1]];
  const { mainFree, reduceFree, phiLast, reduceFrom, pieceCount, firstLevel, pieceAt, pieceLevel } = state;
  const row: ArrayBufferView[] = [shape.nnz, mainFree, reduceFree, phiLast, reduceFrom];
  row.push(pieceCount, firstLevel, pieceAt, pieceLevel, state.token);
  row.push(buffers.lead, buffers.slack, buffers.lift, state.watchFrom, state.logged, state.skew);
  const { lastEntered, lastRamp, mainCycle, rampTimes, slotTimes, rampLevel, waitWeights } = state;
  const tokens = [lastEntered, lastRamp, mainCycle, rampTimes, slotTimes, rampLevel, waitWeights];
  const queues = [reduceSlots, rampPsums].flatMap((q) => [q.start, q.end, q.at, q.count, q.passed]);
  return [
    ...sizes,
    ...addresses(row),
    routerBuffer,
    inputQueue,
    creditLatency,
    rampLatency,
    reduceSlots.capacity,
    ...addresses([...tokens, state.due, state.dueRounded, ...queues]),
  ];
}

/** A row's state in the memory of the kernels. */
export interface WasmRowState extends RowState {
  readonly parametersAt: number;
  /** Room to count runs in. */
  readonly lengths: Uint16Array;
}

/** Ready to run. */
export function wasmRowState(shape: SpmmShape): WasmRowState {
  const bytes = arenaBytes((arena) => void layRow(shape, arena));
  const { memory } = wasmKernels(bytes);
  const { state, lengths, parameters } = layRow(shape, arenaIn(memory.buffer, ARENA_START));
  parameters.set(parametersOf(state));
  return { ...state, lengths, parametersAt: parameters.byteOffset };
}

/** As emptyRuns. */
export function wasmEmptyRuns({ shape, lengths }: WasmRowState): EmptyRun[][] {
  const { features, cols, nnz } = shape;
  const runs: EmptyRun[][] = Array.from({ length: cols }, () => []);
  const shortest = shortestRun(shape);
  if (shortest === undefined) return runs;
  findRuns(wasmKernels(0), [nnz.byteOffset, features, cols, shortest, lengths.byteOffset], (p, end) => {
    let from = end;
    while (from > 0 && nnz[(from - 1) * cols + p] === 0) from--;
    runs[p].push(emptyRun(end - from, end));
  });
  return runs;
}

/** Runs all features; false where the certificate failed. */
export function runWasmRow(state: WasmRowState, watch: Watch): boolean {
  const kernels = wasmKernels(0);
  kernels.start(state.parametersAt);
  return runRow(kernels, {
    cell: (p, n, x, before) => (watchedCell(state, watch, p, n, x, before) ? 1 : 0),
    log: (p, n, x) => {
      logReduceSlots(state, p, n);
      if (x > 0) logOtherPsums(state, p, n);
    },
  });
}

/** Runs all features token by token. */
export function runWasmTokens(state: WasmRowState): void {
  const kernels = wasmKernels(0);
  kernels.start(state.parametersAt);
  kernels.runTokens();
}
