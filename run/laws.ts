// The laws of a whole run (emulator/laws.ts): an operator has the counts of its steps and no more multiply-adds than the
// wafer has cycles, and a run has the counts of its operators. Asserted of every operator and every run, wherever the
// timings of its kernels came from.

import { encodeProgram } from '../compiler/lower/codec.ts';
import type { Program, ProgramOperator, ProgramStep } from '../compiler/lower/program.ts';
import { type Law, LawError, lawBroken, type SmallestCase } from '../emulator/laws.ts';
import { CAUSES } from '../emulator/program/causes.ts';
import type { OperatorResult, WaferResult } from './result.ts';
import { breaks, smallestThat } from './smallest.ts';
import type { StepTiming } from './stepTiming.ts';

/** A step of an operator with what it was timed at. */
export interface TimedStep {
  readonly step: ProgramStep;
  readonly timing: StepTiming;
}

/** What a step must keep, whoever timed it. */
export function assertStep(name: string, { step, timing }: TimedStep): void {
  const { cycles, pes, totals, slots } = timing;
  const what = `kernel ${step.shape.kernel}`;
  const sum = totals.reduce((a, b) => a + b, 0);
  if (sum !== cycles * pes)
    throw lawBroken(name, 'causes', `causes add up to ${sum}, cycles of its PEs to ${cycles * pes} (${what})`);
  const most = slots.compute + slots.overhead + slots.reduce;
  if (!(most <= cycles))
    throw lawBroken(name, 'causes', `a PE of ${what} has ${most} slots, allowed one in each of ${cycles} cycles`);
}

/** `used` PEs are in use. */
export function assertOperator({ machine }: Program, result: OperatorResult, used: number): void {
  const { name, steps, cycles, where, utilisation } = result;
  const ofSteps = steps.reduce((sum, step) => sum + step.repeat * step.cycles, 0);
  if (ofSteps !== cycles) throw lawBroken(name, 'totals', `cycles are ${cycles}, those of its kernels ${ofSteps}`);
  for (const cause of CAUSES)
    if (!(where[cause] >= 0))
      throw lawBroken(
        name,
        'totals',
        `${where[cause]} cycles of ${cause}, allowed 0 or more: its kernels cover more PEs than are in use`,
      );
  const sum = CAUSES.reduce((total, cause) => total + where[cause], 0);
  if (sum !== cycles * used)
    throw lawBroken(name, 'totals', `causes add up to ${sum}, cycles of its PEs to ${cycles * used}`);
  const { width, height } = machine.fabric;
  if (!(utilisation <= 1))
    throw lawBroken(
      name,
      'utilisation',
      `utilisation is ${utilisation}, allowed at most 1 (of ${width} x ${height} PEs)`,
    );
}

export function assertRun({ name, mapping }: Program, { cycles, utilisation, operators }: WaferResult): void {
  const sum = mapping.passes * operators.reduce((total, operator) => total + operator.cycles, 0);
  if (sum !== cycles) throw lawBroken(name, 'totals', `cycles are ${cycles}, those of its operators ${sum}`);
  if (!(utilisation <= 1)) throw lawBroken(name, 'utilisation', `utilisation is ${utilisation}, allowed at most 1`);
}

/** The error of an operator with the smallest program that shows it: the operator alone, of its steps as few as can be. */
export function withSmallestOperator(
  error: LawError,
  program: Program,
  operator: ProgramOperator,
  steps: readonly TimedStep[],
  result: (steps: readonly TimedStep[]) => unknown,
): LawError {
  const { law, message } = error;
  const fewest = smallestThat(steps, smallerSteps, (some) => breaks(law, () => result(some)));
  return new LawError(law, message, programFile(program, { ...operator, steps: fewest.map(({ step }) => step) }, law));
}

function* smallerSteps(steps: readonly TimedStep[]): Iterable<readonly TimedStep[]> {
  if (steps.length > 1) for (const [i] of steps.entries()) yield steps.filter((_, k) => k !== i);
  for (const [i, { step, timing }] of steps.entries())
    if (step.repeat > 1) yield steps.with(i, { step: { ...step, repeat: 1 }, timing });
}

function programFile(program: Program, operator: ProgramOperator, law: Law): SmallestCase {
  const name = `${program.name}, ${operator.name}: ${law}`;
  return {
    stem: operator.name,
    suffix: '.program',
    content: encodeProgram({ ...program, name, operators: [operator] }),
    before: 'run',
    after: '',
  };
}
