// One case by the stepped engine on several threads, where its mesh is large enough for that to pay.

import { LawError } from '../../emulator/laws.ts';
import { type TimingProgram, timingOnly } from '../../emulator/stepped/cut.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { checkLength, steppedTiming } from '../../kernels/spmm/time.ts';
import { bandsThatPay, openBands } from '../../run/bandPool.ts';
import type { KernelCase, PlainCase } from '../../run/kernelCase.ts';
import { fileOf, lawNote } from '../../run/smallest.ts';
import {
  asked,
  deadlockOf,
  type KernelDeadlock,
  type KernelTiming,
  matmulTiming,
  ownTiming,
  plainOf,
  timeCase,
} from './timing.ts';

type Meshed = Extract<PlainCase, { readonly kernel: 'spmm' | 'program' }>;

/** The same as `timeCase` with the stepped engine. Lines have one row, which cannot be cut. */
export async function timeStepped(given: KernelCase, workers: number): Promise<KernelTiming | KernelDeadlock> {
  const one = plainOf(given);
  if (one.kernel !== 'spmm' && one.kernel !== 'program') return timeCase(one, 'stepped');
  const [width, height] = one.kernel === 'spmm' ? [one.cols, one.rows] : [one.program.width, one.program.height];
  const bands = bandsThatPay(width, height, workers);
  return bands === 1 ? timeCase(one, 'stepped') : timeInBands(one, bands);
}

async function timeInBands(one: Meshed, bands: number): Promise<KernelTiming | KernelDeadlock> {
  const program: TimingProgram = one.kernel === 'program' ? one.program : timingOnly(spmmProgram(one));
  if (one.kernel === 'spmm') checkLength(one);
  const pool = openBands(bands);
  try {
    const run = await pool.run(program, one.latencies);
    if (one.kernel === 'spmm') return matmulTiming(one, steppedTiming(one, run));
    return ownTiming(program, { ...asked, ...run });
  } catch (error) {
    if (error instanceof LawError) throw withSmallest(error, one, bands);
    return deadlockOf(error);
  } finally {
    await pool.close();
  }
}

/** The smallest case of one thread; where the law breaks in bands only, the case as it is. */
function withSmallest({ law, message }: LawError, one: Meshed, bands: number): LawError {
  try {
    timeCase(one, 'stepped');
  } catch (error) {
    if (error instanceof LawError && error.law === law) return error;
  }
  return new LawError(law, message, fileOf(one, lawNote(law), `--engine stepped --workers ${bands}`));
}
