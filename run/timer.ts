// Who times kernels: a pool of workers, one task a kernel, each kernel once however often a program has it. Results are
// asked for by kernel, so the order in which workers finish cannot show.

import { Piscina } from 'piscina';
import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import type { StepShape } from '../compiler/lower/program.ts';
import { type StepTiming, timeStep } from './step.ts';
import type { StepFailure, StepTask } from './worker.ts';

export interface Timer {
  /** `name` is the operator, for the message if its worker dies. */
  time(shape: StepShape, machine: Machine, name: string): Promise<StepTiming>;
  close(): Promise<void>;
}

/** Without workers, for small programs and tests. */
export function inProcessTimer(): Timer {
  return remembering({
    time: async (shape, machine) => timeStep(shape, machine),
    close: () => Promise.resolve(),
  });
}

export function pooledTimer(workers: number, signal?: AbortSignal): Timer {
  // Development runs the sources as they are; a build runs worker.js beside this file.
  const source = import.meta.url.endsWith('.ts');
  const pool = new Piscina<StepTask, StepTiming | StepFailure>({
    filename: new URL(source ? './worker.ts' : './worker.js', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    ...(source ? { execArgv: ['--import', 'tsx'] } : {}),
  });
  return remembering({
    time: async (shape, machine, name) => {
      const options = signal === undefined ? {} : { signal };
      const answer = await pool.run({ shape, machine }, options).catch((error: unknown) => {
        throw workerError(error, name, signal);
      });
      if ('code' in answer) throw new EmulateError(answer.code, answer.message);
      return answer;
    },
    close: () => pool.destroy(),
  });
}

function workerError(error: unknown, name: string, signal?: AbortSignal): Error {
  if (signal?.aborted === true) return new EmulateError(EXIT.interrupted, 'interrupted');
  return internalError(`the worker of ${name} died: ${error instanceof Error ? error.message : String(error)}`);
}

function remembering(timer: Timer): Timer {
  const known = new Map<string, Promise<StepTiming>>();
  return {
    time: (shape, machine, name) => {
      const key = JSON.stringify([shape, machine]);
      const timing = known.get(key) ?? timer.time(shape, machine, name);
      known.set(key, timing);
      return timing;
    },
    close: () => timer.close(),
  };
}
