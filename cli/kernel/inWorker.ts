// Times cases in a worker, one after the other, until all are done or the user has had enough.

import { EmulateError, EXIT, internalError } from '../../emulator/errors.ts';
import { errorOf, type Failure } from '../../run/failure.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { openPool } from '../../run/pool.ts';
import type { EngineUse, KernelDeadlock, KernelTiming } from './timing.ts';
import type { KernelTask } from './worker.ts';

/** The timings of the cases, in their order, each when it is there. */
export async function* timings(
  cases: readonly KernelCase[],
  use: EngineUse,
  signal: AbortSignal,
): AsyncGenerator<KernelTiming | KernelDeadlock> {
  const pool = openPool<KernelTask, KernelTiming | KernelDeadlock | Failure>(import.meta.url, 'worker', 1);
  try {
    for (const one of cases) {
      const answer = await pool.run({ one, ...use }, signal).catch((error: unknown) => {
        throw workerError(error, one, signal);
      });
      if ('code' in answer) throw errorOf(answer);
      yield answer;
    }
  } finally {
    await pool.close();
  }
}

function workerError(error: unknown, { kernel }: KernelCase, signal: AbortSignal): Error {
  if (signal.aborted) return new EmulateError(EXIT.interrupted, 'interrupted');
  return internalError(`the worker of ${kernel} died: ${error instanceof Error ? error.message : String(error)}`);
}
