// The time of one case, as plain data that can cross from a worker: the cycles, how they were found, and what the cycles
// of each PE went to. A deadlock is an answer like any other.

import { EmulateError, EXIT, MOST_CYCLES, tooLong } from '../../emulator/errors.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import type { Latencies, Machine } from '../../emulator/machine/spec.ts';
import { CAUSE_COUNT, type Where, whereAt } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { runDataflow } from '../../emulator/streamed/dataflow.ts';
import { foldedTotals, foldedWhere } from '../../emulator/streamed/fold.ts';
import { mostHopCycles } from '../../emulator/streamed/most.ts';
import { type SpmmCase, timingProgram } from '../../kernels/index.ts';
import { type Engine, type SpmmTiming, timeSpmm } from '../../kernels/spmm/time.ts';
import { matmulShape } from '../../run/step.ts';
import type { DrawnCase, KernelCase, LineCase } from './spec.ts';

export type EngineChoice = Engine | 'auto';

/** Which engine times the cases, and the threads that the stepped one may use. */
export interface EngineUse {
  readonly engine: EngineChoice;
  readonly workers: number;
}

interface Found {
  readonly engine: Engine;
  readonly path: string;
  readonly why: string;
}

/** PEs are `outer` times `inner`: ring positions and rows, or columns and one row. */
export interface KernelTiming extends Found {
  readonly cycles: number;
  readonly outer: number;
  readonly inner: number;
  /** CAUSE_COUNT counts a PE; where `folded`, of one row, from which the others follow. */
  readonly where: ArrayLike<number>;
  readonly folded: boolean;
}

export interface KernelDeadlock extends Found {
  readonly cycles: 'deadlock';
}

export function timeCase(one: KernelCase, engine: EngineChoice): KernelTiming | KernelDeadlock {
  try {
    if (one.kernel !== 'spmm') return timeLine(one, engine);
    const shape = matmulOf(one);
    return matmulTiming(shape, timeSpmm(shape, engine));
  } catch (error) {
    return deadlockOf(error, engine);
  }
}

/** A deadlock as an answer; any other error goes on. */
export function deadlockOf(error: unknown, engine: EngineChoice): KernelDeadlock {
  if (!(error instanceof EmulateError) || error.code !== EXIT.deadlock) throw error;
  // Only stepping sees that nothing can move any more; `auto` came to it last.
  const tried = engine === 'auto' ? 'streamed' : engine;
  return {
    engine: tried,
    path: tried === 'streamed' ? 'stepped row' : 'stepped mesh',
    why: error.message,
    cycles: 'deadlock',
  };
}

/** The matmul with its cells counted. */
export function matmulOf(one: SpmmCase | DrawnCase): SpmmCase {
  return 'step' in one ? { kernel: 'spmm', ...matmulShape(one.step, one.machine), rows: one.rows } : one;
}

export function matmulTiming({ cols }: SpmmCase, timing: SpmmTiming): KernelTiming {
  const { engine, path, why, cycles, rows, where } = timing;
  return { engine, path, why, cycles, outer: cols, inner: rows, where, folded: path !== 'stepped mesh' };
}

function timeLine({ kernel, width, wavelets, latencies }: LineCase, choice: EngineChoice): KernelTiming {
  const most = (wavelets + width) * mostHopCycles(latencies);
  if (most > MOST_CYCLES) throw tooLong(kernel, most);
  const program = timingProgram({ kernel, width, wavelets }, machineWith(latencies));
  const common = { outer: width, inner: 1, folded: false } as const;
  const streamed = choice === 'stepped' ? undefined : runDataflow(program, latencies);
  if (streamed !== undefined) return { engine: 'streamed', path: 'time stamps', why: '', ...streamed, ...common };
  const { cycles, where } = runStepped(program, latencies);
  const why = choice === 'stepped' ? 'asked for' : 'two colors met at a port';
  return { engine: 'stepped', path: 'stepped mesh', why, cycles, where, ...common };
}

/** Any machine with these latencies: the kernels of a line ask for nothing else. */
function machineWith(latencies: Latencies): Machine {
  const { rampLatency, routerBuffer, creditLatency, inputQueue, outputQueue, resultLatency } = latencies;
  const { machine } = machinePresets.wse2;
  return {
    ...machine,
    fabric: { ...machine.fabric, rampLatency, routerBuffer, creditLatency },
    core: { ...machine.core, inputQueue, outputQueue, resultLatency },
  };
}

/** What the cycles of the PE at `inner` of `outer` went to. */
export function whereOf({ where, folded, inner }: KernelTiming, outer: number, row: number): Where {
  return folded ? foldedWhere(where, outer, row, inner) : whereAt(where, (outer * inner + row) * CAUSE_COUNT);
}

/** Over all PEs, in the order of CAUSES. */
export function totalsOf({ where, folded, inner }: KernelTiming): Float64Array {
  return foldedTotals(where, folded ? inner : 1);
}
