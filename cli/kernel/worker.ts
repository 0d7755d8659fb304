// The worker's side of `emulate kernel`: one task, one case. It is a thread of its own because a long run would keep the
// main one from seeing an interrupt. Errors of ours go back as data.

import { type Failure, failureOf } from '../../run/failure.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { timeStepped } from './inBands.ts';
import { type EngineUse, type KernelDeadlock, type KernelTiming, timeCase } from './timing.ts';

export interface KernelTask extends EngineUse {
  readonly one: KernelCase;
}

export default async function run({
  one,
  engine,
  workers,
}: KernelTask): Promise<KernelTiming | KernelDeadlock | Failure> {
  try {
    return engine === 'stepped' ? await timeStepped(one, workers) : timeCase(one, engine);
  } catch (error) {
    return failureOf(error);
  }
}
