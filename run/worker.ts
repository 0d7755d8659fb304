// The worker's side of the pool: one task, one kernel. Errors of ours go back as data.

import type { StepShape } from '../compiler/lower/program.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { keepBitsIn } from '../kernels/spmm/storedBits.ts';
import { type Failure, failureOf } from './failure.ts';
import { timeStep } from './step.ts';
import type { StepTiming } from './stepTiming.ts';

export interface StepTask {
  readonly shape: StepShape;
  readonly machine: Machine;
  /** Where the bits of stored masks lie. */
  readonly bits: string;
  /** Counts of every PE are asked for. */
  readonly perPe: boolean;
}

export default function run({ bits, shape, machine, perPe }: StepTask): StepTiming | Failure {
  keepBitsIn(bits);
  try {
    return timeStep(shape, machine, perPe);
  } catch (error) {
    return failureOf(error);
  }
}
