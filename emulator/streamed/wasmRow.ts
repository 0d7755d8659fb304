// The closed forms of a row by the WebAssembly twin: the same arrays in its memory.

import { ARENA_START, findRuns, wasmKernels } from '../wasm/module.ts';
import type { Latencies } from '../machine/spec.ts';
import { type Arena, arenaBytes, arenaIn } from './arena.ts';
import { type EmptyRun, emptyRun, shortestRun } from './certificate.ts';
import { type RowState, rowState } from './rowState.ts';
import { LINE } from './segments.ts';
import type { SpmmShape } from './shape.ts';

const PARAMETERS = 43;

/** Numbers of a position's walk before its ramp times and slot times, as in assembly/tokens.ts. */
const WALK_HEAD = 16;

/** Cells of 16 bits are read in whole vectors, beyond the last. */
const VECTOR_CELLS = 8;

/** Runs of empty cells of all positions, one after the other; by position, where its list begins and ends. */
interface RunLists {
  readonly from: Int32Array;
  readonly until: Int32Array;
  readonly next: Int32Array;
  readonly end: Int32Array;
}

/** A row's state in the memory of the kernels. */
export interface WasmRowState extends RowState {
  readonly parametersAt: number;
}

/** What runs are found in, which stays where it is when the rest is laid. */
function layCells({ nnz, cols }: SpmmShape, arena: Arena): { cells: Uint16Array; lengths: Uint16Array } {
  return { cells: arena.rawCounts(nnz.length + VECTOR_CELLS), lengths: arena.counts(cols + VECTOR_CELLS) };
}

function layRuns(runs: readonly (readonly EmptyRun[])[], { ints }: Arena): RunLists {
  const all = runs.flat();
  const lists = { from: ints(all.length), until: ints(all.length), next: ints(runs.length), end: ints(runs.length) };
  // Counting an arena's bytes gives arrays without entries.
  if (lists.end.length === 0) return lists;
  lists.from.set(all.map(({ from }) => from));
  lists.until.set(all.map(({ until }) => until));
  let at = 0;
  runs.forEach((list, p) => {
    lists.next[p] = at;
    at += list.length;
    lists.end[p] = at;
  });
  return lists;
}

function addresses(arrays: readonly { readonly byteOffset: number }[]): number[] {
  return arrays.map(({ byteOffset }) => byteOffset);
}

/** Numbers of a position's walk (assembly/tokens.ts), in whole lines of a cache. */
function walkWords({ routerBuffer, inputQueue }: Latencies): number {
  return Math.ceil((WALK_HEAD + routerBuffer + inputQueue) / LINE) * LINE;
}

/** Sizes and addresses in the order in which assembly/row.ts and tokens.ts read them. */
function parametersOf(state: RowState, runs: RunLists, walks: Int32Array): number[] {
  const { shape, buffers, reduceSlots, rampPsums } = state;
  const { cols, features, accumulators, gap, controlSlots, latencies } = shape;
  const { routerBuffer, inputQueue, creditLatency, rampLatency } = latencies;
  const sizes = [cols, features, accumulators, state.psums, state.weightSlots, controlSlots, gap[0], gap[1]];
  const { mainFree, reduceFree, phiLast, reduceFrom, pieceCount, firstLevel, pieceAt, pieceLevel } = state;
  const row: ArrayBufferView[] = [shape.nnz, mainFree, reduceFree, phiLast, reduceFrom];
  row.push(pieceCount, firstLevel, pieceAt, pieceLevel, state.token);
  row.push(buffers.lead, buffers.slack, buffers.lift, state.skew);
  return [
    ...sizes,
    ...addresses(row),
    routerBuffer,
    inputQueue,
    creditLatency,
    rampLatency,
    reduceSlots.capacity,
    reduceSlots.stride,
    ...addresses([reduceSlots.bounds, rampPsums.bounds, state.waitWeights, walks]),
    walkWords(latencies),
    ...addresses([state.watchFrom, state.logged, state.byToken, state.tokenAtEntry]),
    ...addresses([runs.from, runs.until, runs.next, runs.end]),
    ...addresses([state.ends]),
    state.waves,
  ];
}

/** Ready to run. */
export function wasmRowState(shape: SpmmShape): WasmRowState {
  const cellBytes = arenaBytes((arena) => void layCells(shape, arena));
  const runs = wasmEmptyRuns(shape, cellBytes);
  const lay = (
    nnz: Uint16Array,
    arena: Arena,
  ): { state: RowState; lists: RunLists; walks: Int32Array; parameters: Int32Array } => ({
    state: rowState({ ...shape, nnz }, arena),
    lists: layRuns(runs, arena),
    walks: arena.ints(shape.cols * walkWords(shape.latencies)),
    parameters: arena.ints(PARAMETERS),
  });
  const { memory } = wasmKernels(cellBytes + arenaBytes((arena) => void lay(shape.nnz, arena)));
  const cells = new Uint16Array(memory.buffer, ARENA_START, shape.nnz.length);
  const { state, lists, walks, parameters } = lay(cells, arenaIn(memory.buffer, ARENA_START + cellBytes));
  parameters.set(parametersOf(state, lists, walks));
  return { ...state, parametersAt: parameters.byteOffset };
}

/** Copies the cells to where the row will have them, and finds what emptyRuns does. */
function wasmEmptyRuns(shape: SpmmShape, bytes: number): EmptyRun[][] {
  const { features, cols, nnz } = shape;
  const kernels = wasmKernels(bytes);
  const { cells, lengths } = layCells(shape, arenaIn(kernels.memory.buffer, ARENA_START));
  cells.set(nnz);
  cells.fill(0, nnz.length);
  const runs: EmptyRun[][] = Array.from({ length: cols }, () => []);
  const shortest = shortestRun(shape);
  if (shortest === undefined) return runs;
  findRuns(kernels, [cells.byteOffset, features, cols, shortest, lengths.byteOffset], (p, end) => {
    let from = end;
    while (from > 0 && nnz[(from - 1) * cols + p] === 0) from--;
    runs[p].push(emptyRun(end - from, end));
  });
  return runs;
}

/** Runs all features; false where the certificate failed. */
export function runWasmRow({ parametersAt }: WasmRowState): boolean {
  const kernels = wasmKernels(0);
  kernels.start(parametersAt);
  return kernels.run() === 1;
}

/** Runs all features token by token. */
export function runWasmTokens({ parametersAt }: WasmRowState): void {
  const kernels = wasmKernels(0);
  kernels.start(parametersAt);
  kernels.runTokens();
}
