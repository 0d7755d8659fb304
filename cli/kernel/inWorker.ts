// Times cases in a worker, one after the other, until all are done or the user has had enough.

import { Piscina } from 'piscina';
import { EmulateError, EXIT, internalError } from '../../emulator/errors.ts';
import type { KernelCase } from './spec.ts';
import type { EngineUse, KernelDeadlock, KernelTiming } from './timing.ts';
import type { KernelFailure, KernelTask } from './worker.ts';

/** The timings of the cases, in their order, each when it is there. */
export async function* timings(
  cases: readonly KernelCase[],
  use: EngineUse,
  signal: AbortSignal,
): AsyncGenerator<KernelTiming | KernelDeadlock> {
  // Development runs the sources as they are; a build runs worker.js beside this file.
  const source = import.meta.url.endsWith('.ts');
  const pool = new Piscina<KernelTask, KernelTiming | KernelDeadlock | KernelFailure>({
    filename: new URL(source ? './worker.ts' : './worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    ...(source ? { execArgv: ['--import', 'tsx'] } : {}),
  });
  try {
    for (const one of cases) {
      const answer = await pool.run({ one, ...use }, { signal }).catch((error: unknown) => {
        throw workerError(error, one, signal);
      });
      if ('code' in answer) throw new EmulateError(answer.code, answer.message);
      yield answer;
    }
  } finally {
    await pool.destroy();
  }
}

function workerError(error: unknown, { kernel }: KernelCase, signal: AbortSignal): Error {
  if (signal.aborted) return new EmulateError(EXIT.interrupted, 'interrupted');
  return internalError(`the worker of ${kernel} died: ${error instanceof Error ? error.message : String(error)}`);
}
