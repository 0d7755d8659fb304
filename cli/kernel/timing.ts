// The time of one case, as plain data that can cross from a worker: the cycles, how they were found, and what the cycles
// of each PE went to. A deadlock is an answer like any other; a broken law is none.

import { EmulateError, EXIT, internalError, MOST_CYCLES, tooLong } from '../../emulator/errors.ts';
import { LawError } from '../../emulator/laws.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import type { Latencies, Machine } from '../../emulator/machine/spec.ts';
import { CAUSE_COUNT, type Where, whereAt } from '../../emulator/program/causes.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { foldedTotals, foldedWhere } from '../../emulator/streamed/fold.ts';
import { mostHopCycles } from '../../emulator/streamed/most.ts';
import { type SpmmCase, timingProgram } from '../../kernels/index.ts';
import { type Engine, type SpmmTiming, timeSpmm } from '../../kernels/spmm/time.ts';
import type { KernelCase, LineCase, PlainCase, ProgramCase } from '../../run/kernelCase.ts';
import { fileOf, lawNote, smallestCase } from '../../run/smallest.ts';
import { type ProgramTiming, timeProgram } from '../../run/meshTime.ts';
import { matmulShape } from '../../run/step.ts';
import { chunkRows } from '../../run/weightGradient.ts';

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

/** A law that breaks comes with the smallest case that breaks it. */
export function timeCase(one: KernelCase, engine: EngineChoice): KernelTiming | KernelDeadlock {
  const plain = plainOf(one);
  try {
    return timePlain(plain, engine);
  } catch (error) {
    if (error instanceof LawError) throw withSmallest(error, plain, engine);
    return deadlockOf(error);
  }
}

function timePlain(one: PlainCase, engine: EngineChoice): KernelTiming {
  if (one.kernel === 'spmm') return matmulTiming(one, timeSpmm(one, engine));
  return one.kernel === 'program' ? timeOwn(one, engine) : timeLine(one, engine);
}

function withSmallest({ law, message }: LawError, one: PlainCase, engine: EngineChoice): LawError {
  const smallest = smallestCase(one, law, (other) => timePlain(other, engine));
  return new LawError(law, message, fileOf(smallest, lawNote(law), engine === 'auto' ? '' : `--engine ${engine}`));
}

/** A deadlock as an answer; any other error goes on. Only stepping sees that nothing can move any more. */
export function deadlockOf(error: unknown): KernelDeadlock {
  if (!(error instanceof EmulateError) || error.code !== EXIT.deadlock) throw error;
  return { engine: 'stepped', path: 'stepped mesh', why: error.message, cycles: 'deadlock' };
}

/** A matmul, or what the engines take as one, with its cells counted; any other case as it is. */
export function plainOf(one: KernelCase): PlainCase {
  if (!('step' in one)) return one.kernel === 'weightGradient' ? { ...one, kernel: 'spmm' } : one;
  const { machine, rows } = one;
  if (one.kernel === 'spmm') return { kernel: 'spmm', ...matmulShape(one.step, machine), rows };
  const [chunk, ...others] = chunkRows(one.step, machine);
  if (others.length > 0) throw internalError('a gradient of several chunks is no case of one kernel');
  return { kernel: 'spmm', ...chunk, rows };
}

export function matmulTiming({ cols }: SpmmCase, timing: SpmmTiming): KernelTiming {
  const { engine, path, why, cycles, rows, where } = timing;
  return { engine, path, why, cycles, outer: cols, inner: rows, where, folded: path !== 'stepped mesh' };
}

function timeOwn({ program, latencies }: ProgramCase, choice: EngineChoice): KernelTiming {
  if (choice !== 'stepped') return ownTiming(program, timeProgram(program, latencies));
  return ownTiming(program, { ...asked, ...runStepped(program, latencies) });
}

/** How the stepped engine comes to a case that it was asked for. */
export const asked = { engine: 'stepped', path: 'stepped mesh', why: 'asked for' } as const;

/** The PEs column by column. */
export function ownTiming({ width, height }: FabricProgram, { where, ...timing }: ProgramTiming): KernelTiming {
  const columns = new Int32Array(where.length);
  for (let pe = 0; pe < width * height; pe++) {
    const at = ((pe % width) * height + Math.floor(pe / width)) * CAUSE_COUNT;
    columns.set(where.subarray(pe * CAUSE_COUNT, (pe + 1) * CAUSE_COUNT), at);
  }
  const { engine, path, why, cycles } = timing;
  return { engine, path, why, cycles, outer: width, inner: height, where: columns, folded: false };
}

function timeLine(one: LineCase, choice: EngineChoice): KernelTiming {
  const { width, latencies } = one;
  const program = lineProgram(one);
  const common = { outer: width, inner: 1, folded: false } as const;
  if (choice !== 'stepped') return { ...timeProgram(program, latencies), ...common };
  const { cycles, where } = runStepped(program, latencies);
  return { ...asked, cycles, where, ...common };
}

/** Throws (exit 2) where the run could be longer than cycles are counted. */
export function lineProgram({ kernel, width, wavelets, latencies }: LineCase): FabricProgram {
  const most = (wavelets + width) * mostHopCycles(latencies);
  if (most > MOST_CYCLES) throw tooLong(kernel, most);
  return timingProgram({ kernel, width, wavelets }, machineWith(latencies));
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
