// One case by the stepped engine on several threads, where its mesh is large enough for that to pay.

import { spmmProgram } from '../../kernels/spmm/program.ts';
import { checkLength, steppedTiming } from '../../kernels/spmm/time.ts';
import { timingOnly } from '../../emulator/stepped/cut.ts';
import { bandsThatPay, openBands } from '../../run/bandPool.ts';
import type { KernelCase } from './spec.ts';
import { deadlockOf, type KernelDeadlock, type KernelTiming, matmulOf, matmulTiming, timeCase } from './timing.ts';

/** The same as `timeCase` with the stepped engine. Only meshes of several rows can be cut. */
export async function timeStepped(one: KernelCase, workers: number): Promise<KernelTiming | KernelDeadlock> {
  if (one.kernel !== 'spmm') return timeCase(one, 'stepped');
  const shape = matmulOf(one);
  const bands = bandsThatPay(shape.cols, shape.rows, workers);
  if (bands === 1) return timeCase(shape, 'stepped');
  checkLength(shape);
  const pool = openBands(bands);
  try {
    return matmulTiming(shape, steppedTiming(shape, await pool.run(timingOnly(spmmProgram(shape)), shape.latencies)));
  } catch (error) {
    return deadlockOf(error, 'stepped');
  } finally {
    await pool.close();
  }
}
