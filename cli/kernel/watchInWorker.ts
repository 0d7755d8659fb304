// Watches a kernel in a worker, until it is done or the user has had enough.

import { EmulateError, EXIT, internalError } from '../../emulator/errors.ts';
import { errorOf, type Failure } from '../../run/failure.ts';
import { openPool } from '../../run/pool.ts';
import type { Asked, Watched } from './watch.ts';

export async function watchInWorker(asked: Asked, signal: AbortSignal): Promise<Watched> {
  const pool = openPool<Asked, Watched | Failure>(import.meta.url, 'watchWorker', 1);
  try {
    const answer = await pool.run(asked, signal).catch((error: unknown) => {
      if (signal.aborted) throw new EmulateError(EXIT.interrupted, 'interrupted');
      throw internalError(
        `the worker of ${asked.one.kernel} died: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    if ('code' in answer) throw errorOf(answer);
    return answer;
  } finally {
    await pool.close();
  }
}
