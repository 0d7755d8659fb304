// The time of one kernel: the fastest exact engine for it, and which one that was. This is what a worker does.

import { EmulateError, EXIT } from '../emulator/errors.ts';
import { type Law, LawError, type SmallestCase } from '../emulator/laws.ts';
import type { MatmulStep, StepShape } from '../compiler/lower/program.ts';
import { type Latencies, latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, whereAt } from '../emulator/program/causes.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';
import { type TimingProgram, timingOnly } from '../emulator/stepped/cut.ts';
import { runStepped } from '../emulator/stepped/engine.ts';
import { runDataflow, whyNotDataflow } from '../emulator/streamed/dataflow.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { COLUMN_REDUCE_COLORS, type ColumnReduceShape } from '../kernels/columnReduce.ts';
import { columnReduceTime } from '../kernels/columnReduceTime.ts';
import { kernels, type KernelName, type SpmmCase, timingProgram } from '../kernels/index.ts';
import { balancedCells } from '../kernels/spmm/balanced.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { SPMM_COLORS } from '../kernels/spmm/ringProgram.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import type { PlainCase } from './kernelCase.ts';
import type { EngineUse, Slots } from './result.ts';
import { breaks, fileOf, isSound, lawNote, smallerShapes, smallestCase, smallestThat } from './smallest.ts';

export interface StepTiming extends EngineUse {
  /** Of the rectangle; where rows are folded, of one row. */
  readonly cycles: number;
  readonly pes: number;
  /** Cycles of all its PEs by cause, in the order of CAUSES; they add up to cycles * pes. */
  readonly totals: readonly number[];
  /** Of the PE that issues the most. */
  readonly slots: Slots;
}

/** Do the rows of a kernel follow from one of them, each a cycle later? */
export function isFolded(kernel: KernelName): boolean {
  return kernels[kernel].rows === 'shifted';
}

/** A law that breaks comes with the smallest case that breaks it (smallest.ts). */
export function timeStep(shape: StepShape, machine: Machine): StepTiming {
  try {
    return shape.kernel === 'spmm' ? timeMatmul(shape, machine) : timeMesh(shape, machine);
  } catch (error) {
    if (!(error instanceof LawError)) throw error;
    throw new LawError(error.law, error.message, smallestStep(shape, machine, error.law));
  }
}

function timeMesh(shape: Exclude<StepShape, MatmulStep>, machine: Machine): StepTiming {
  const closed = shape.kernel === 'columnReduce' ? timeColumnReduce(shape, machine) : undefined;
  if (closed !== undefined) return closed;
  const program = timingProgram(shape, machine);
  checkColors(shape.kernel, Math.max(0, ...program.routes.map(({ color }) => color + 1)), machine);
  const { where, ...timing } = timeProgram(program, latenciesOf(machine));
  return { ...timing, pes: program.width * program.height, ...countsOf(where) };
}

/** In closed form, if that holds. */
function timeColumnReduce(shape: ColumnReduceShape, machine: Machine): StepTiming | undefined {
  const time = columnReduceTime(shape, machine);
  if (time === undefined) return undefined;
  checkColors(shape.kernel, COLUMN_REDUCE_COLORS, machine);
  const { totals, slots } = countsOf(time.where);
  const { rows, cols } = shape;
  const found = { engine: 'streamed', path: 'closed form', why: '' } as const;
  return { ...found, cycles: time.cycles, pes: rows * cols, totals: totals.map((count) => cols * count), slots };
}

export interface ProgramTiming extends EngineUse {
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, PE index y * width + x. */
  readonly where: Int32Array;
}

/** The time of any program: by time stamps where that is possible, else by the stepped engine. */
export function timeProgram(program: FabricProgram, latencies: Latencies): ProgramTiming {
  const notDataflow = whyNotDataflow(program);
  const run = notDataflow === undefined ? runDataflow(program, latencies) : undefined;
  if (run !== undefined) return { engine: 'streamed', path: 'time stamps', why: '', ...run };
  const { cycles, where } = runStepped(program, latencies);
  const why = notDataflow ?? 'two colors met at a port';
  return { engine: 'stepped', path: 'stepped mesh', why, cycles, where };
}

/** Of a matmul as its cells, of any other kernel as the program that it is. */
function smallestStep(shape: StepShape, machine: Machine, law: Law): SmallestCase {
  if (shape.kernel === 'spmm') {
    const whole: SpmmCase = { kernel: 'spmm', ...matmulShape(shape, machine) };
    return fileOf(smallestCase(whole, law, timePlain), lawNote(law));
  }
  const latencies = latenciesOf(machine);
  const programOf = (of: typeof shape): TimingProgram => timingOnly(timingProgram(of, machine));
  // A shape that makes no sense gives a program that breaks laws by itself.
  const mustBeSound = isSound(programOf(shape), latencies);
  const smallest = smallestThat(
    shape,
    (of) => smallerShapes(of),
    (of) =>
      breaks(law, () => (!mustBeSound || isSound(programOf(of), latencies)) && timeProgram(programOf(of), latencies)),
  );
  const note = `${lawNote(law)} ${JSON.stringify(smallest)}`;
  return fileOf({ kernel: 'program', program: programOf(smallest), latencies }, note);
}

function timePlain(one: PlainCase): unknown {
  if (one.kernel === 'spmm') return timeSpmm(one, 'auto');
  return one.kernel === 'program' ? timeProgram(one.program, one.latencies) : undefined;
}

/** The matmul as the engines take it: one row, its cells counted. */
export function matmulShape(step: MatmulStep, machine: Machine): SpmmShape {
  const { weights, cols, tokens, accumulators, gap, accumulate } = step;
  const { axpyOverhead, controlSlots, simdFp16, simdFp16ToFp32 } = machine.core;
  const { ends } = streamOrder(weights.output, cols);
  const drawn = countCells(weights, cols);
  const nnz = step.zeros === 'balanced' ? balancedCells(drawn, cols) : drawn;
  const half = accumulate === 'fp16';
  return {
    rows: 1,
    cols,
    features: ends.length,
    ends,
    tokens,
    nnz,
    accumulators,
    gap,
    axpyOverhead,
    controlSlots,
    simd: half ? simdFp16 : simdFp16ToFp32,
    psumPerWavelet: half ? 2 : 1,
    latencies: latenciesOf(machine),
  };
}

/** Throws (exit 3) where a kernel needs more colors than a router knows. */
function checkColors(kernel: string, colors: number, { fabric }: Machine): void {
  if (colors <= fabric.colors) return;
  const message = `${kernel} does not fit: it needs ${colors} colors, the limit is ${fabric.colors} (${colors - fabric.colors} too many); what would help: a machine with more colors`;
  throw new EmulateError(EXIT.doesNotFit, message);
}

function timeMatmul(step: MatmulStep, machine: Machine): StepTiming {
  checkColors('spmm', SPMM_COLORS, machine);
  const { engine, path, why, cycles, where } = timeSpmm(matmulShape(step, machine), 'auto');
  return { engine, path, why, cycles, pes: step.cols, ...countsOf(where) };
}

/** Of the causes of each PE: their totals, and the slots of the PE that issues the most, of several the first. */
function countsOf(where: ArrayLike<number>): Pick<StepTiming, 'totals' | 'slots'> {
  const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
  let fullest = 0;
  let most = -1;
  for (let pe = 0; pe < where.length; pe += CAUSE_COUNT) {
    for (let c = 0; c < CAUSE_COUNT; c++) totals[c] += where[pe + c];
    const slots = where[pe + CAUSE.compute] + where[pe + CAUSE.overhead] + where[pe + CAUSE.reduce];
    if (slots <= most) continue;
    most = slots;
    fullest = pe;
  }
  const { compute, overhead, reduce } = whereAt(where, fullest);
  return { totals, slots: { compute, overhead, reduce } };
}
