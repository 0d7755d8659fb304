// The worker's side of `emulate kernel`: one task, one case. It is a thread of its own because a long run would keep the
// main one from seeing an interrupt. Errors go back as data: an error that crosses threads loses its class and code.

import { EmulateError, type ExitCode } from '../../emulator/errors.ts';
import type { KernelCase } from './spec.ts';
import { timeStepped } from './inBands.ts';
import { type EngineUse, type KernelDeadlock, type KernelTiming, timeCase } from './timing.ts';

export interface KernelTask extends EngineUse {
  readonly one: KernelCase;
}

export interface KernelFailure {
  readonly code: ExitCode;
  readonly message: string;
}

export default async function run({
  one,
  engine,
  workers,
}: KernelTask): Promise<KernelTiming | KernelDeadlock | KernelFailure> {
  try {
    return engine === 'stepped' ? await timeStepped(one, workers) : timeCase(one, engine);
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    return { code: error.code, message: error.message };
  }
}
