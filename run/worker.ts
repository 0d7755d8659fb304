// The worker's side of the pool: one task, one kernel. Errors of ours go back as data.

import type { StepShape } from '../compiler/lower/program.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { type Failure, failureOf } from './failure.ts';
import { timeStep } from './step.ts';
import type { StepTiming } from './stepTiming.ts';

export interface StepTask {
  readonly shape: StepShape;
  readonly machine: Machine;
}

export default function run({ shape, machine }: StepTask): StepTiming | Failure {
  try {
    return timeStep(shape, machine);
  } catch (error) {
    return failureOf(error);
  }
}
