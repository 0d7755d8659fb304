// The stepped engine on several threads: the rows of a mesh in bands, one band a worker, all of them at work at once.

import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import type { Latencies } from '../emulator/machine/spec.ts';
import { type BandEnd, boardOf, conclude } from '../emulator/stepped/bandLoop.ts';
import { cutIntoBands, evenBands, type TimingProgram } from '../emulator/stepped/cut.ts';
import type { SteppedRun } from '../emulator/stepped/engine.ts';
import { meetingPlace } from '../emulator/stepped/meeting.ts';
import type { BandTask } from './bandWorker.ts';
import { openPool } from './pool.ts';

/** PEs of a band that are worth a thread: with 256 two threads are somewhat faster than one, with 100 they are not. */
const FEWEST_PES = 256;

/** Bands to cut a mesh into on so many workers; 1 where one thread is as fast. */
export function bandsThatPay(width: number, height: number, workers: number): number {
  return Math.max(1, Math.min(workers, height, Math.floor((width * height) / FEWEST_PES)));
}

export interface BandPool {
  /** The same as `runStepped`, errors included, and for any number of bands. One run at a time. */
  run(program: TimingProgram, latencies: Latencies, bands?: readonly number[]): Promise<SteppedRun>;
  close(): Promise<void>;
}

export function openBands(workers: number, signal?: AbortSignal): BandPool {
  const pool = openPool<BandTask, BandEnd>(import.meta.url, 'bandWorker', workers);
  return {
    run: async (program, latencies, rows = evenBands(program.height, workers)) => {
      const cut = cutIntoBands(program, latencies, rows);
      if (cut.threads.unfinished === 0) return conclude(cut, []);
      const board = boardOf(rows.length);
      const place = meetingPlace();
      const bands = cut.bands.map((plan) => pool.run({ plan, board, place, bands: rows.length }, signal));
      try {
        return conclude(cut, await Promise.all(bands));
      } catch (error) {
        if (error instanceof EmulateError) throw error;
        // The other bands wait for the one that is gone.
        await Promise.allSettled([pool.close(), ...bands]);
        throw workerError(error, program.name, signal);
      }
    },
    close: () => pool.close(),
  };
}

function workerError(error: unknown, name: string, signal?: AbortSignal): Error {
  if (signal?.aborted === true) return new EmulateError(EXIT.interrupted, 'interrupted');
  return internalError(`a worker of ${name} died: ${error instanceof Error ? error.message : String(error)}`);
}
