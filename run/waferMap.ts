// Where the cycles of every PE of the wafer went, operator by operator: what a picture of the wafer shows. Groups are
// alike, and within a group the counts of the PE at column x and row y are those of its column and of its row added: rows of
// a folded kernel differ by their place alone, sums that leave by their row, rings of rows by the row within the ring,
// and all else is the same on all rows. So a wafer of a million PEs takes some thousand numbers.
//
// A kernel that is not on all columns of a group is on the first ones; the others are done from the start.

import type { Program, ProgramOperator, ProgramStep } from '../compiler/lower/program.ts';
import { internalError } from '../emulator/errors.ts';
import { lawBroken } from '../emulator/laws.ts';
import { CAUSE, CAUSE_COUNT, CAUSES } from '../emulator/program/causes.ts';
import { addShifts } from '../emulator/streamed/fold.ts';
import { stepCycles } from './program.ts';
import type { OperatorResult, WaferResult } from './result.ts';
import { isFolded } from './step.ts';
import type { PeCounts, StepTiming } from './stepTiming.ts';
import type { Timer } from './timer.ts';
import { edgeWords, groupWidth } from './traffic.ts';

export interface OperatorMap {
  readonly name: string;
  /** Of one pass. */
  readonly cycles: number;
  /** CAUSE_COUNT counts a column of a group, from the west. */
  readonly columns: Float64Array;
  /** CAUSE_COUNT counts a row, from the north, to be added for the PEs of the first `width` columns of a group. */
  readonly rows: readonly { readonly width: number; readonly counts: Float64Array }[];
  /** Words of 32 bits that pass the edge of the wafer, in one pass. */
  readonly edgeWords: number;
}

/** The maps of the operators of `program`, which came to `result`. */
export async function mapWafer(program: Program, result: WaferResult, timer: Timer): Promise<OperatorMap[]> {
  return Promise.all(
    program.operators.map(async (operator, i) => {
      const timings = await Promise.all(
        operator.steps.map(({ shape }) => timer.time(shape, program.machine, operator.name, true)),
      );
      const map = operatorMap(program, operator, timings);
      assertMap(program, result.operators[i], map);
      return map;
    }),
  );
}

/** A timer that asks for the counts of every PE, so that a map of the same program costs nothing more. */
export function timerPerPe(timer: Timer): Timer {
  return {
    time: (shape, machine, name) => timer.time(shape, machine, name, true),
    close: () => timer.close(),
  };
}

/** CAUSE_COUNT counts of the PE at column `x` of a group and row `y`. */
export function whereOfPe(
  { columns, rows }: Pick<OperatorMap, 'columns' | 'rows'>,
  x: number,
  y: number,
): Float64Array {
  const where = columns.slice(x * CAUSE_COUNT, (x + 1) * CAUSE_COUNT);
  for (const { width, counts } of rows)
    if (x < width) for (let c = 0; c < CAUSE_COUNT; c++) where[c] += counts[y * CAUSE_COUNT + c];
  return where;
}

export function operatorMap(
  program: Program,
  { name, steps }: ProgramOperator,
  timings: readonly StepTiming[],
): OperatorMap {
  const { mapping } = program;
  const columns = new Float64Array(mapping.columns * CAUSE_COUNT);
  const byWidth = new Map<number, Float64Array>();
  let cycles = 0;
  let words = 0;
  steps.forEach((step, j) => {
    const { perPe } = timings[j];
    if (perPe === undefined) throw internalError(`${step.shape.kernel} of ${name} was timed without its PEs`);
    const width = widthOf(program, step, timings[j]);
    const rows = byWidth.get(width) ?? new Float64Array(mapping.rows * CAUSE_COUNT);
    byWidth.set(width, rows);
    addColumns(columns, step, stepCycles(program, step, timings[j]), width, perPe, program);
    addRows(rows, step, perPe);
    cycles += step.repeat * stepCycles(program, step, timings[j]);
    words += step.repeat * edgeWords(program, step, timings[j]);
  });
  const rows = Array.from(byWidth, ([width, counts]) => ({ width, counts }));
  return { name, cycles, columns, rows: rows.sort((a, b) => a.width - b.width), edgeWords: words };
}

/** Columns of a group that a step is on, from the west. */
function widthOf(program: Program, step: ProgramStep, timing: StepTiming): number {
  const { columns } = program.mapping;
  const width = groupWidth(program, step, timing);
  if (Number.isInteger(width) && width <= columns) return width;
  throw internalError(`${step.shape.kernel} is on ${width} columns of ${columns}`);
}

/** `cycles` of one run, the start of the kernel included. */
function addColumns(
  columns: Float64Array,
  { repeat }: ProgramStep,
  cycles: number,
  width: number,
  { columns: counts }: PeCounts,
  { machine: { core } }: Program,
): void {
  for (let i = 0; i < columns.length; i += CAUSE_COUNT) {
    columns[i + CAUSE.overhead] += repeat * core.kernelStart;
    if (i >= width * CAUSE_COUNT) columns[i + CAUSE.done] += repeat * (cycles - core.kernelStart);
    else for (let c = 0; c < CAUSE_COUNT; c++) columns[i + c] += repeat * counts[(i % counts.length) + c];
  }
}

function addRows(rows: Float64Array, { repeat, shape }: ProgramStep, { rows: counts }: PeCounts): void {
  if (isFolded(shape.kernel)) addShifts(rows, repeat);
  else for (let i = 0; i < rows.length; i++) rows[i] += repeat * counts[i % counts.length];
}

/** The PEs of the map have the counts of the operator. */
function assertMap({ mapping }: Program, result: OperatorResult, { name, columns, rows }: OperatorMap): void {
  const { groups, rows: height } = mapping;
  for (let c = 0; c < CAUSE_COUNT; c++) {
    let sum = 0;
    for (let i = c; i < columns.length; i += CAUSE_COUNT) sum += groups * height * columns[i];
    for (const { width, counts } of rows)
      for (let i = c; i < counts.length; i += CAUSE_COUNT) sum += groups * width * counts[i];
    const cause = CAUSES[c];
    if (sum !== result.where[cause])
      throw lawBroken(name, 'totals', `${sum} cycles of ${cause} on the map, ${result.where[cause]} in the operator`);
  }
}
