// The worker's side of the pool: one task, one kernel.

import type { Machine } from '../emulator/machine/spec.ts';
import type { StepShape } from '../compiler/lower/program.ts';
import { type StepTiming, timeStep } from './step.ts';

export interface StepTask {
  readonly shape: StepShape;
  readonly machine: Machine;
}

export default function run({ shape, machine }: StepTask): StepTiming {
  return timeStep(shape, machine);
}
