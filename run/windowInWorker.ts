// Watches a window of a run in a worker, until it is done or the user has had enough.

import type { Program } from '../compiler/lower/program.ts';
import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import { bitsFolder } from '../kernels/spmm/storedBits.ts';
import { errorOf, type Failure } from './failure.ts';
import { openPool } from './pool.ts';
import type { WaferResult } from './result.ts';
import type { Window, WindowAsked } from './window.ts';
import type { WindowTask } from './windowWorker.ts';

export async function windowInWorker(
  program: Program,
  result: WaferResult,
  asked: WindowAsked,
  signal: AbortSignal,
): Promise<Window> {
  const pool = openPool<WindowTask, Window | Failure>(import.meta.url, 'windowWorker', 1);
  try {
    const answer = await pool.run({ program, result, asked, bits: bitsFolder() }, signal).catch((error: unknown) => {
      if (signal.aborted) throw new EmulateError(EXIT.interrupted, 'interrupted');
      throw internalError(`the worker of the window died: ${error instanceof Error ? error.message : String(error)}`);
    });
    if ('code' in answer) throw errorOf(answer);
    return answer;
  } finally {
    await pool.close();
  }
}
