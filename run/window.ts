// PEs of the wafer in a window of cycles of a whole run: which kernels run there, and what each of these PEs does in them, by the
// stepped engine (watched.ts). Passes, operators, kernels and their repeats stand one after the other, in the order of the program.
//
// A PE of the wafer is one of a group of columns. The rectangle of a kernel stands side by side on the first columns of each
// group, and down its rows; PEs beyond are done from the start. A gradient by the weights is two kernels a chunk.

import type { Program, ProgramStep, WeightGradientStep } from '../compiler/lower/program.ts';
import { internalError } from '../emulator/errors.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';
import { NONE } from '../emulator/program/instruction.ts';
import type { Span } from '../emulator/stepped/recording.ts';
import { foldedCycles } from '../emulator/streamed/fold.ts';
import { timingProgram } from '../kernels/index.ts';
import type { RowStreamShape } from '../kernels/rowStream.ts';
import { spmmProgram } from '../kernels/spmm/program.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import { weightGradientProgram } from '../kernels/weightGradient/program.ts';
import { sumWavelets } from '../kernels/weightGradient/shape.ts';
import type { WaferResult } from './result.ts';
import { isFolded, matmulShape } from './step.ts';
import { type PeView, type Place, view, type View, type Watchable } from './watched.ts';
import { chunkRows, sumsOf, timeSums } from './weightGradient.ts';

/** Some PEs while one kernel starts or runs. Their times are those of the kernel, which begins in cycle `at` of the run. */
export interface WindowPart {
  readonly at: number;
  readonly operator: string;
  readonly kernel: string;
  readonly pes: readonly PeView[];
}

export interface Window {
  readonly parts: readonly WindowPart[];
  /** The cycle before which it ends for want of room; null where it is whole. */
  readonly cutAt: number | null;
}

export interface WindowAsked {
  readonly places: readonly Place[];
  readonly span: Span;
  /** Stretches of PEs and buffers that there is room for. */
  readonly most: number;
}

/** A stretch of the run in which all PEs in use do one thing. */
interface Stage {
  readonly operator: string;
  readonly kernel: string;
  readonly cycles: number;
  /** Null while the kernel starts. */
  readonly running: Running | null;
}

interface Running {
  /** Columns of a group that it is on. */
  readonly width: number;
  /** What the PEs of row y are of; the same object for rows that are of the same. */
  readonly watchableOf: (y: number) => Watchable;
}

export function watchWindow(program: Program, result: WaferResult, { places, span, most }: WindowAsked): Window {
  const parts: WindowPart[] = [];
  let left = most;
  for (const { at, stage } of stagesIn(program, result, span)) {
    const { operator, cycles } = stage;
    const kernel = stage.running === null ? `start of ${stage.kernel}` : stage.kernel;
    const within = { from: Math.max(0, span.from - at), until: Math.min(cycles, span.until - at) };
    if (within.from >= within.until) continue;
    const { pes, until, isCut } = viewOf(program, stage, places, within, left);
    parts.push({ at, operator, kernel, pes });
    for (const { core, buffers } of pes) left -= buffers.reduce((sum, { runs }) => sum + runs.length, core.length);
    if (isCut) return { parts, cutAt: at + until };
    if (left <= 0) return { parts, cutAt: at + within.until };
  }
  return { parts, cutAt: null };
}

/** The stages that meet the span, and some beside them. */
function* stagesIn(
  program: Program,
  { operators: results, cycles: all }: WaferResult,
  span: Span,
): Generator<{ at: number; stage: Stage }> {
  const { mapping, operators } = program;
  const { kernelStart } = program.machine.core;
  const passCycles = all / mapping.passes;
  for (let pass = Math.floor(span.from / passCycles); pass * passCycles < span.until; pass++) {
    let begun = pass * passCycles;
    for (const [i, { name: operator, steps }] of operators.entries())
      for (const [j, step] of steps.entries()) {
        const { cycles, kernel } = results[i].steps[j];
        const first = Math.max(0, Math.floor((span.from - begun) / cycles));
        const last = Math.min(step.repeat, Math.ceil((span.until - begun) / cycles));
        for (let run = first; run < last; run++) {
          let at = begun + run * cycles;
          yield { at, stage: { operator, kernel, cycles: kernelStart, running: null } };
          at += kernelStart;
          for (const stage of stagesOf(program, operator, step, cycles - kernelStart)) {
            yield { at, stage };
            at += stage.cycles;
          }
        }
        begun += step.repeat * cycles;
      }
  }
}

/** A step once, without its start, in which it takes `cycles`. */
function* stagesOf(program: Program, operator: string, step: ProgramStep, cycles: number): Generator<Stage> {
  const { machine, mapping } = program;
  const { shape } = step;
  const { kernel } = shape;
  const latencies = latenciesOf(machine);
  const { rows } = mapping;
  if (kernel === 'weightGradient') yield* gradientStages(program, operator, shape);
  else if (kernel === 'spmm') {
    const fabric = spmmProgram({ ...matmulShape(shape, machine), rows: Math.min(2, rows) });
    const watchableOf = alike({ program: fabric, latencies, rows, isFolded: true });
    yield { operator, kernel, cycles, running: { width: shape.cols, watchableOf } };
  } else if (kernel === 'rowStream') {
    const watchableOf = (y: number): Watchable => rowOfStream(shape, y, rows, machine);
    yield { operator, kernel, cycles, running: { width: widthOf(program, step, shape.cols), watchableOf } };
  } else {
    const folded = kernel === 'affine';
    if (isFolded(kernel) !== folded) throw internalError(`${kernel} folds, and cannot be watched`);
    const fabric = timingProgram(shape.kernel === 'affine' ? { ...shape, rows: Math.min(2, rows) } : shape, machine);
    const watchableOf = alike({ program: fabric, latencies, rows, isFolded: folded });
    const pes = folded ? fabric.width : fabric.width * fabric.height;
    yield { operator, kernel, cycles, running: { width: widthOf(program, step, pes), watchableOf } };
  }
}

function alike(watchable: Watchable): Running['watchableOf'] {
  return () => watchable;
}

/** Of each chunk the products, and their sums, which leave; a start between any two. */
function* gradientStages(
  { machine, mapping: { rows } }: Program,
  operator: string,
  step: WeightGradientStep,
): Generator<Stage> {
  const { cols: width, accumulate, outGap } = step;
  const { kernelStart } = machine.core;
  const latencies = latenciesOf(machine);
  const start = (kernel: string): Stage => ({ operator, kernel, cycles: kernelStart, running: null });
  let isFirst = true;
  for (const row of chunkRows(step, machine)) {
    if (!isFirst) yield start(step.kernel);
    isFirst = false;
    const products: Watchable = {
      program: weightGradientProgram({ ...row, rows: Math.min(2, rows) }),
      latencies,
      rows,
      isFolded: true,
    };
    const cycles = foldedCycles(timeSpmm(row, 'auto').cycles, rows);
    yield { operator, kernel: step.kernel, cycles, running: { width, watchableOf: () => products } };
    const wavelets = sumWavelets(sumsOf(step, row.nnz), accumulate);
    const shape = { kernel: 'columnReduce', rows, cols: 1, wavelets, gap: outGap } as const;
    const sums: Watchable = { program: timingProgram(shape, machine), latencies, rows, isFolded: false };
    yield start(shape.kernel);
    const { cycles: own } = timeSums(shape, machine);
    yield { operator, kernel: shape.kernel, cycles: own, running: { width, watchableOf: () => sums } };
  }
}

/** Row y, which keeps wavelets of its own; that the row above keeps others takes neither of them a cycle. */
function rowOfStream(shape: RowStreamShape, y: number, rows: number, machine: Machine): Watchable {
  const two = timingProgram({ ...shape, rows: Math.min(2, rows) }, machine);
  const own = timingProgram({ ...shape, rows: y + 1 }, machine).cores[y * shape.cols];
  const program: FabricProgram = { ...two, cores: two.cores.map(() => own) };
  return { program, latencies: latenciesOf(machine), rows, isFolded: true };
}

/** Columns of a group that a step is on, of `pes` PEs a rectangle; of one row where rows are folded. */
function widthOf({ mapping }: Program, { shape, copies }: ProgramStep, pes: number): number {
  const { groups, rows, columns } = mapping;
  const width = (copies * pes) / (groups * (isFolded(shape.kernel) ? 1 : rows));
  if (Number.isInteger(width) && width <= columns) return width;
  throw internalError(`${shape.kernel} is on ${width} columns of ${columns}`);
}

/** What the places do in a stage, in their order. */
function viewOf(
  program: Program,
  { cycles, running }: Stage,
  places: readonly Place[],
  span: Span,
  most: number,
): View {
  const idle = (place: Place, cause: number): PeView => ({
    ...place,
    core: [{ ...span, cause, thread: NONE, instruction: NONE, item: 0, slot: 0 }],
    buffers: [],
  });
  if (running === null) return { ...span, isCut: false, pes: places.map((place) => idle(place, CAUSE.overhead)) };
  const { columns } = program.mapping;
  const isOn = ({ x }: Place): boolean => x % columns < running.width;
  const seen = new Map<Place, PeView>();
  let until = span.until;
  for (const [watchable, own] of byWatchable(places.filter(isOn), running)) {
    const { program: fabric, isFolded: folded } = watchable;
    const within = own.map(({ x, y }) => ({
      x: (x % columns) % fabric.width,
      y: folded ? y : y % fabric.height,
    }));
    const shown = view(watchable, { places: within, span, cycles, most });
    until = Math.min(until, shown.until);
    shown.pes.forEach((pe, i) => seen.set(own[i], { ...pe, ...own[i] }));
  }
  const pes = places.map((place) => seen.get(place) ?? idle(place, CAUSE.done));
  return { from: span.from, until, isCut: until < span.until, pes };
}

function byWatchable(places: readonly Place[], { watchableOf }: Running): Map<Watchable, Place[]> {
  const ofRow = new Map<number, Watchable>();
  const groups = new Map<Watchable, Place[]>();
  for (const place of places) {
    const watchable = ofRow.get(place.y) ?? watchableOf(place.y);
    ofRow.set(place.y, watchable);
    const group = groups.get(watchable);
    if (group === undefined) groups.set(watchable, [place]);
    else group.push(place);
  }
  return groups;
}
