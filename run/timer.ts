// Who times kernels: a pool of workers, one task a kernel, each kernel once however often a program has it. Results are
// asked for by kernel, so the order in which workers finish cannot show.

import { createHash } from 'node:crypto';
import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import type { StepShape } from '../compiler/lower/program.ts';
import { bitsFolder } from '../kernels/spmm/storedBits.ts';
import { errorOf, type Failure } from './failure.ts';
import { openPool } from './pool.ts';
import { timeStep } from './step.ts';
import type { StepTiming } from './stepTiming.ts';
import type { StepTask } from './worker.ts';

export interface Timer {
  /** `name` is the operator, for the message if its worker dies; with `perPe` the counts of every PE are there. */
  time(shape: StepShape, machine: Machine, name: string, perPe?: boolean): Promise<StepTiming>;
  close(): Promise<void>;
}

/** Without workers, for small programs and tests. */
export function inProcessTimer(): Timer {
  const timer: Timer = {
    time: async (shape, machine, _name, perPe = false) => timeStep(shape, machine, perPe),
    close: () => Promise.resolve(),
  };
  return remembering(timer, MOST_REMEMBERED);
}

export function pooledTimer(workers: number, signal?: AbortSignal): Timer {
  const pool = openPool<StepTask, StepTiming | Failure>(import.meta.url, 'worker', workers);
  const timer: Timer = {
    time: async (shape, machine, name, perPe = false) => {
      const answer = await pool.run({ bits: bitsFolder(), shape, machine, perPe }, signal).catch((error: unknown) => {
        throw workerError(error, name, signal);
      });
      if ('code' in answer) throw errorOf(answer);
      return answer;
    },
    close: () => pool.close(),
  };
  return remembering(timer, MOST_REMEMBERED);
}

function workerError(error: unknown, name: string, signal?: AbortSignal): Error {
  if (signal?.aborted === true) return new EmulateError(EXIT.interrupted, 'interrupted');
  return internalError(`the worker of ${name} died: ${error instanceof Error ? error.message : String(error)}`);
}

/** Some tens of megabytes of timings: the kernels of hundreds of models. */
const MOST_REMEMBERED = 65_536;

/**
 * Times each kernel once, those whose PEs are asked for first with their counts; beyond `most` of them the one that was
 * asked for longest ago is let go.
 */
export function remembering(timer: Timer, most: number): Timer {
  const known = new Map<string, Promise<StepTiming>>();
  return {
    time: (shape, machine, name, perPe = false) => {
      const plain = createHash('sha256')
        .update(JSON.stringify([shape, machine]))
        .digest('base64');
      const detailed = `${plain}, each PE`;
      const key = perPe || known.has(detailed) ? detailed : plain;
      const timing = known.get(key) ?? timer.time(shape, machine, name, perPe);
      // A map keeps the order of insertion: the first is the one asked for longest ago.
      known.delete(key);
      known.set(key, timing);
      if (known.size > most) {
        const [oldest] = known.keys();
        known.delete(oldest);
      }
      return timing;
    },
    close: () => timer.close(),
  };
}
