// Program to result: times every kernel, puts operators together, and counts where the cycles of all PEs go.

import type { Program, ProgramOperator, ProgramStep } from '../compiler/lower/program.ts';
import { tokenSlots } from '../compiler/mapping/mapping.ts';
import { LawError } from '../emulator/laws.ts';
import { CAUSE, CAUSE_COUNT, whereAt } from '../emulator/program/causes.ts';
import { boundOf } from './bound.ts';
import { assertOperator, assertRun, assertStep, type TimedStep, withSmallestOperator } from './laws.ts';
import type { OperatorResult, WaferResult } from './result.ts';
import { isFolded } from './step.ts';
import type { StepTiming } from './stepTiming.ts';
import type { Timer } from './timer.ts';
import { operatorTraffic } from './traffic.ts';

export interface ProgramOptions {
  readonly timer: Timer;
  /** Called with the kernels timed so far and in all. */
  readonly onProgress?: (done: number, total: number, label: string) => void;
}

export async function runProgram(program: Program, { timer, onProgress }: ProgramOptions): Promise<WaferResult> {
  const { machine, mapping, operators, tokens } = program;
  const timings = await timeAll(program, timer, onProgress);
  const passCycles = operators.reduce((sum, operator, i) => sum + operatorCycles(program, operator, timings[i]), 0);
  const results = operators.map((operator, i) => lawfulOperator(program, operator, timings[i], passCycles));
  const cycles = passCycles * mapping.passes;
  const seconds = cycles / machine.clockHz;
  const compute = results.reduce((sum, { where }) => sum + where.compute, 0);
  const result: WaferResult = {
    cycles,
    seconds,
    tokensPerSecond: tokens / seconds,
    utilisation: compute / (passCycles * machine.fabric.width * machine.fabric.height),
    mapping,
    padding: tokenSlots(mapping) * mapping.passes - tokens,
    operators: results,
    memory: program.memory,
  };
  assertRun(program, result);
  return result;
}

/** Timings by operator and step. The longest start first, so that no worker ends alone with one. */
async function timeAll(
  program: Program,
  timer: Timer,
  onProgress: ProgramOptions['onProgress'],
): Promise<StepTiming[][]> {
  const { operators, machine } = program;
  const tasks = operators.flatMap(({ name, steps }, i) => steps.map((step, j) => ({ name, step, i, j })));
  const timings: StepTiming[][] = operators.map(() => []);
  tasks.sort((a, b) => workOf(b.step) - workOf(a.step));
  let done = 0;
  await Promise.all(
    tasks.map(async ({ name, step, i, j }) => {
      timings[i][j] = await timer.time(step.shape, machine, name);
      onProgress?.(++done, tasks.length, name);
    }),
  );
  return timings;
}

/** A guess of the work of a step, for the order only. */
function workOf({ shape }: ProgramStep): number {
  if (shape.kernel !== 'spmm' && shape.kernel !== 'weightGradient') return 'total' in shape ? shape.total : 1;
  const { mask } = shape.weights;
  return mask.rows * (shape.cols * 16 + mask.width * (1 - mask.sparsity));
}

/** Cycles of one run of a step on the whole wafer, the start of its kernel included. */
export function stepCycles({ machine, mapping }: Program, { shape }: ProgramStep, { cycles }: StepTiming): number {
  return machine.core.kernelStart + cycles + (isFolded(shape.kernel) ? mapping.rows - 1 : 0);
}

function operatorCycles(program: Program, { steps }: ProgramOperator, timings: readonly StepTiming[]): number {
  return steps.reduce((sum, step, j) => sum + step.repeat * stepCycles(program, step, timings[j]), 0);
}

/** A law that breaks comes with the smallest program that breaks it. */
function lawfulOperator(
  program: Program,
  operator: ProgramOperator,
  timings: readonly StepTiming[],
  passCycles: number,
): OperatorResult {
  try {
    return operatorResult(program, operator, timings, passCycles);
  } catch (error) {
    if (!(error instanceof LawError)) throw error;
    const timed = operator.steps.map((step, j) => ({ step, timing: timings[j] }));
    const resultOf = (some: readonly TimedStep[]): OperatorResult => {
      const steps = some.map(({ step }) => step);
      const of = some.map(({ timing }) => timing);
      return operatorResult(program, { ...operator, steps }, of, passCycles);
    };
    throw withSmallestOperator(error, program, operator, timed, resultOf);
  }
}

function operatorResult(
  program: Program,
  operator: ProgramOperator,
  timings: readonly StepTiming[],
  passCycles: number,
): OperatorResult {
  const { machine, mapping } = program;
  const { name, kind, steps } = operator;
  const cycles = operatorCycles(program, operator, timings);
  const used = mapping.groups * mapping.columns * mapping.rows;
  const bank = new Float64Array(CAUSE_COUNT);
  steps.forEach((step, j) => addStep(program, step, timings[j], used, bank));
  const where = whereAt(bank, 0);
  const result: OperatorResult = {
    name,
    kind,
    kernel: [...new Set(steps.map(({ shape }) => shape.kernel))].join(' + '),
    steps: steps.map((step, j) => {
      const { engine, path, why, slots } = timings[j];
      const { kernel } = step.shape;
      return { kernel, repeat: step.repeat, cycles: stepCycles(program, step, timings[j]), slots, engine, path, why };
    }),
    cycles,
    share: cycles / passCycles,
    utilisation: where.compute / (cycles * machine.fabric.width * machine.fabric.height),
    boundBy: boundOf(where),
    where,
    traffic: operatorTraffic(program, steps, timings),
  };
  steps.forEach((step, j) => assertStep(name, { step, timing: timings[j] }));
  assertOperator(program, result, used);
  return result;
}

/** Adds the causes of all PEs in use over all repeats of a step. */
function addStep(program: Program, step: ProgramStep, timing: StepTiming, used: number, bank: Float64Array): void {
  const { machine, mapping } = program;
  const { repeat, copies, shape } = step;
  const { kernelStart } = machine.core;
  const cycles = stepCycles(program, step, timing) - kernelStart;
  const folded = isFolded(shape.kernel);
  const rows = folded ? mapping.rows : 1;
  const covered = copies * timing.pes * rows;
  for (let c = 0; c < CAUSE_COUNT; c++) bank[c] += repeat * copies * rows * timing.totals[c];
  // Row r of a folded kernel waits r cycles longer for its first wavelet and is done rows - 1 - r cycles earlier.
  const shifts = (copies * timing.pes * rows * (rows - 1)) / 2;
  bank[CAUSE.waitWeights] += repeat * shifts;
  bank[CAUSE.done] += repeat * shifts;
  bank[CAUSE.done] += repeat * (used - covered) * cycles;
  bank[CAUSE.overhead] += repeat * used * kernelStart;
}
