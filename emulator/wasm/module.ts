// The WebAssembly kernels, one instance a thread: compiled once, with a memory that grows to what the largest task
// needs. They are twins of TypeScript code, which stays the judge: mask counts (kernels/spmm/counts.ts), the closed
// forms of a row (emulator/streamed/main.ts, reduce.ts) and a row that looks ahead (emulator/streamed/lookahead).

import { internalError } from '../errors.ts';
import { BINARY } from './binary.ts';

/** Told of a run of empty cells; see assembly/scan.ts. */
export type RunCallback = (p: number, end: number) => void;

type Count = (
  order: number,
  features: number,
  width: number,
  threshold: number,
  keys: number,
  cols: number,
  words: number,
  scratch: number,
  counts: number,
) => void;

export interface WasmKernels {
  readonly memory: WebAssembly.Memory;
  readonly countStrided: Count;
  readonly countPlaced: Count;
  countTransposed(
    order: number,
    features: number,
    rows: number,
    from: number,
    width: number,
    threshold: number,
    keys: number,
    cols: number,
    words: number,
    digits: number,
    planes: number,
    sums: number,
    counts: number,
  ): void;
  findRuns(cells: number, features: number, cols: number, least: number, lengths: number): void;
  sumOfLargest(cells: number, features: number, cols: number): number;
  columnSums(cells: number, features: number, cols: number, sums: number): void;
  start(parameters: number): void;
  run(): number;
  runTokens(): void;
  startLookahead(parameters: number): void;
  sweepLookahead(mostCycles: number): number;
}

const PAGE_BYTES = 65_536;
/** The kernels' own data lies below. */
export const ARENA_START: number = PAGE_BYTES;

let onRun: RunCallback | undefined;
let instance: WasmKernels | undefined;

/** The kernels of this thread, their memory at least `bytes` beyond ARENA_START. Growing it voids earlier views. */
export function wasmKernels(bytes: number): WasmKernels {
  instance ??= instantiate();
  const missing = ARENA_START + bytes - instance.memory.buffer.byteLength;
  if (missing > 0) instance.memory.grow(Math.ceil(missing / PAGE_BYTES));
  return instance;
}

/** Tells of runs of empty cells; see assembly/scan.ts. */
export function findRuns(kernels: WasmKernels, args: Parameters<WasmKernels['findRuns']>, run: RunCallback): void {
  onRun = run;
  try {
    kernels.findRuns(...args);
  } finally {
    onRun = undefined;
  }
}

function instantiate(): WasmKernels {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const imports = {
    env: { memory, abort: () => undefined },
    scan: { run: (p: number, end: number) => onRun?.(p, end) },
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(BINARY, 'base64')), imports);
  return { memory, ...pick(exports) };
}

function pick(exports: WebAssembly.Exports): Omit<WasmKernels, 'memory'> {
  const { countStrided, countPlaced, countTransposed, findRuns, sumOfLargest, columnSums, start, run, runTokens } =
    exports;
  const { startLookahead, sweepLookahead } = exports;
  if (
    typeof countStrided !== 'function' ||
    typeof countPlaced !== 'function' ||
    typeof countTransposed !== 'function' ||
    typeof findRuns !== 'function' ||
    typeof sumOfLargest !== 'function' ||
    typeof columnSums !== 'function' ||
    typeof start !== 'function' ||
    typeof run !== 'function' ||
    typeof runTokens !== 'function' ||
    typeof startLookahead !== 'function' ||
    typeof sweepLookahead !== 'function'
  )
    throw internalError('the WebAssembly binary lacks a kernel');
  return {
    countStrided: (...args) => void countStrided(...args),
    countPlaced: (...args) => void countPlaced(...args),
    countTransposed: (...args) => void countTransposed(...args),
    findRuns: (...args) => void findRuns(...args),
    sumOfLargest: (...args) => Number(sumOfLargest(...args)),
    columnSums: (...args) => void columnSums(...args),
    start: (parameters) => void start(parameters),
    run: () => Number(run()),
    runTokens: () => void runTokens(),
    startLookahead: (parameters) => void startLookahead(parameters),
    sweepLookahead: (mostCycles) => Number(sweepLookahead(mostCycles)),
  };
}
