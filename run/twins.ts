// The twins of a run: the same program with one effect taken away, its cycles found by the same exact engines. What an effect
// costs is the difference. Effects meet, so their prices need not add up; and nothing in the rules of the machine
// forbids that taking one away costs cycles, so a price may be negative.
//
//   balancedZeros          the non-zeros of every output feature spread evenly over the ring (kernels/spmm/balanced.ts)
//   unboundedAccumulators  more and more accumulators, until doubling them saves no cycle; SRAM is not asked
//   noOverheads            axpyOverhead and kernelStart 0, controlSlots 1, since a control wavelet has to take a slot. What a
//                          PE discards of a stream takes its slots as before
//   freeIngress            every stream may enter, and leave, a wavelet a cycle
//   noWaiting              no run but a bound: the slots of the PE that issues the most, kernel after kernel, with the starts

import type { Program, ProgramOperator, ProgramStep, StepShape } from '../compiler/lower/program.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import { isDense } from '../kernels/spmm/mask.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { type ProgramOptions, runProgram } from './program.ts';
import type { OperatorResult, Slots, Twins, WaferResult } from './result.ts';
import type { StepTiming } from './stepTiming.ts';
import type { Timer } from './timer.ts';

/** The twins of each operator of `wafer`, which is what `program` came to. */
export async function runTwins(
  program: Program,
  wafer: WaferResult,
  { timer, onProgress }: ProgramOptions,
): Promise<Twins[]> {
  const accumulators = new Map<string, number>();
  const twins: [Program, Timer][] = [
    [withSteps(program, withBalancedZeros), timer],
    [program, unbounded(timer, accumulators)],
    [{ ...program, machine: withoutOverheads(program.machine) }, timer],
    [withSteps(program, withFreeIngress), timer],
  ];
  const total = twins.length * program.operators.reduce((sum, { steps }) => sum + steps.length, 0);
  let done = 0;
  const runs = await Promise.all(
    twins.map(([twin, timedBy]) =>
      runProgram(twin, { timer: timedBy, onProgress: (_done, _total, label) => onProgress?.(++done, total, label) }),
    ),
  );
  const [balancedZeros, unboundedAccumulators, noOverheads, freeIngress] = runs.map(({ operators }) => operators);
  return program.operators.map((operator, i) => {
    const slots = slotsOf(wafer.operators[i]);
    const starts = operator.steps.reduce((sum, { repeat }) => sum + repeat, 0) * program.machine.core.kernelStart;
    return {
      balancedZeros: has(operator, isSparse) ? balancedZeros[i].cycles : null,
      unboundedAccumulators: has(operator, isMatmul) ? unboundedAccumulators[i].cycles : null,
      noOverheads: noOverheads[i].cycles,
      freeIngress: has(operator, isStreamed) ? freeIngress[i].cycles : null,
      noWaiting: starts + slots.compute + slots.overhead + slots.reduce,
      slots,
      accumulators: accumulators.get(operator.name) ?? null,
    };
  });
}

function has({ steps }: ProgramOperator, is: (shape: StepShape) => boolean): boolean {
  return steps.some(({ shape }) => is(shape));
}

function isMatmul({ kernel }: StepShape): boolean {
  return kernel === 'spmm';
}

function isSparse(shape: StepShape): boolean {
  if (shape.kernel !== 'spmm' && shape.kernel !== 'weightGradient') return false;
  return !isDense(shape.weights.mask);
}

function isStreamed(shape: StepShape): boolean {
  return 'gap' in shape;
}

function withSteps(program: Program, twinOf: (shape: StepShape) => StepShape): Program {
  const ofStep = (step: ProgramStep): ProgramStep => ({ ...step, shape: twinOf(step.shape) });
  return {
    ...program,
    operators: program.operators.map((operator) => ({ ...operator, steps: operator.steps.map(ofStep) })),
  };
}

/** Whoever has no such effect stays as it is, and is not timed again. */
export function withBalancedZeros(shape: StepShape): StepShape {
  const hasZeros = shape.kernel === 'spmm' || shape.kernel === 'weightGradient';
  return hasZeros && isSparse(shape) ? { ...shape, zeros: 'balanced' } : shape;
}

export function withFreeIngress(shape: StepShape): StepShape {
  if (shape.kernel === 'weightGradient') return { ...shape, gap: [1, 1], outGap: [1, 1] };
  return 'gap' in shape ? { ...shape, gap: [1, 1] } : shape;
}

export function withoutOverheads(machine: Machine): Machine {
  return { ...machine, core: { ...machine.core, axpyOverhead: 0, controlSlots: 1, kernelStart: 0 } };
}

/** Times as many accumulators to begin with, which is nearly always enough. */
const FIRST = 16;

/** What an engine remembers of a row grows with accumulators, columns and partial sums: some 64 MB. */
const MOST_REMEMBERED = 2 ** 22;

/** Times matmuls with so many accumulators that twice as many save no cycle, or that no main thread waits for one. */
function unbounded(timer: Timer, used: Map<string, number>): Timer {
  const time = async (shape: StepShape, machine: Machine, name: string): Promise<StepTiming> => {
    if (shape.kernel !== 'spmm') return timer.time(shape, machine, name);
    const { weights, cols, tokens } = shape;
    const features = streamOrder(weights.output, cols).rows.length;
    const remembered = Math.floor(MOST_REMEMBERED / (cols * tokens));
    const most = Math.max(shape.accumulators, Math.min(features, remembered));
    let { accumulators } = shape;
    let timing = await timer.time(shape, machine, name);
    if (accumulators < most && timing.totals[CAUSE.waitThread] > 0) {
      accumulators = Math.min(FIRST * accumulators, most);
      timing = await timer.time({ ...shape, accumulators }, machine, name);
    }
    while (accumulators < most && timing.totals[CAUSE.waitThread] > 0) {
      const twice = Math.min(2 * accumulators, most);
      const next = await timer.time({ ...shape, accumulators: twice }, machine, name);
      if (next.cycles === timing.cycles) break;
      accumulators = twice;
      timing = next;
    }
    used.set(name, Math.max(accumulators, used.get(name) ?? 0));
    return timing;
  };
  return { time, close: () => timer.close() };
}

function slotsOf({ steps }: OperatorResult): Slots {
  const sum = { compute: 0, overhead: 0, reduce: 0 };
  for (const { repeat, slots } of steps) {
    sum.compute += repeat * slots.compute;
    sum.overhead += repeat * slots.overhead;
    sum.reduce += repeat * slots.reduce;
  }
  return sum;
}
