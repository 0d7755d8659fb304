// The worker's side of the pool: one task, one kernel. An error of ours goes back as data, because an error that crosses
// to another thread loses its class and its code.

import { EmulateError, type ExitCode } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import type { StepShape } from '../compiler/lower/program.ts';
import { type StepTiming, timeStep } from './step.ts';

export interface StepTask {
  readonly shape: StepShape;
  readonly machine: Machine;
}

export interface StepFailure {
  readonly code: ExitCode;
  readonly message: string;
}

export default function run({ shape, machine }: StepTask): StepTiming | StepFailure {
  try {
    return timeStep(shape, machine);
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    return { code: error.code, message: error.message };
  }
}
