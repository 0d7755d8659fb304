// The worker's side of `emulate kernel`: one task, one case. It is a thread of its own because a long run would keep the
// main one from seeing an interrupt. Errors go back as data: an error that crosses threads loses its class and code.

import { EmulateError, type ExitCode } from '../../emulator/errors.ts';
import type { KernelCase } from './spec.ts';
import { type EngineChoice, type KernelDeadlock, type KernelTiming, timeCase } from './timing.ts';

export interface KernelTask {
  readonly one: KernelCase;
  readonly engine: EngineChoice;
}

export interface KernelFailure {
  readonly code: ExitCode;
  readonly message: string;
}

export default function run({ one, engine }: KernelTask): KernelTiming | KernelDeadlock | KernelFailure {
  try {
    return timeCase(one, engine);
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    return { code: error.code, message: error.message };
  }
}
