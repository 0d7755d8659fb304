// The time of any program: by time stamps where that is possible, else by the stepped engine.

import type { Latencies } from '../emulator/machine/spec.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';
import { runStepped } from '../emulator/stepped/engine.ts';
import { runDataflow, whyNotDataflow } from '../emulator/streamed/dataflow.ts';
import type { EngineUse } from './result.ts';

export interface ProgramTiming extends EngineUse {
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, PE index y * width + x. */
  readonly where: Int32Array;
}

/** The time of any program: by time stamps where that is possible, else by the stepped engine. */
export function timeProgram(program: FabricProgram, latencies: Latencies): ProgramTiming {
  const notDataflow = whyNotDataflow(program);
  const run = notDataflow === undefined ? runDataflow(program, latencies) : undefined;
  if (run !== undefined) return { engine: 'streamed', path: 'time stamps', why: '', ...run };
  const { cycles, where } = runStepped(program, latencies);
  const why = notDataflow ?? 'two colors met at a port';
  return { engine: 'stepped', path: 'stepped mesh', why, cycles, where };
}
