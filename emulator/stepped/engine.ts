// The stepped engine, the judge: docs/machine.md cycle for cycle, for any program of routes and threads. In each cycle
// every router, stream and core decides on the state as the cycle began; entries and credits carry the cycle from which
// they count, so the order of visiting does not matter.

import { EmulateError, EXIT } from '../errors.ts';
import type { Latencies } from '../machine/spec.ts';
import { CAUSE_COUNT, CAUSES } from '../program/causes.ts';
import type { FabricProgram } from '../program/fabric.ts';
import { decode, startThreads, stepCores, type ThreadState } from './cores.ts';
import { checkLaws } from './laws.ts';
import { load, type State } from './load.ts';
import { NEVER } from './pipes.ts';
import { stepRouters } from './routers.ts';
import { type StreamState, startStreams, stepStreams } from './streams.ts';

export interface SteppedRun {
  /** Cycle of the last slot, plus one. */
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, PE index y * width + x; those of a PE add up to `cycles`. */
  readonly where: Int32Array;
  /** The bank of PE memories as the run left it; empty where the program carries no values. */
  readonly memory: Float32Array;
}

/** Runs a program to its end. Throws on deadlock (exit 4) and on a broken law (exit 5). */
export function runStepped(program: FabricProgram, latencies: Latencies): SteppedRun {
  const state = load(program, latencies);
  const threads = startThreads(state);
  const streams = startStreams(program.streams);
  for (let th = 0; th < threads.pe.length; th++) if (state.cores.pc[th] < state.cores.end[th]) decode(state, threads, th);
  let t = 0;
  while (threads.unfinished > 0) {
    const moves = stepRouters(state, t) + stepStreams(state, streams, t);
    const issued = stepCores(state, threads, t);
    if (moves + issued === 0) t = skipIdle(state, streams, threads, t);
    else t++;
  }
  const { where } = state.cores;
  checkLaws(state, t);
  return { cycles: t, where, memory: state.memory };
}

/**
 * Nothing moved in cycle t, so nothing changes before the next entry becomes ready, credit comes back or wavelet is due:
 * the cycles up to then repeat the causes of this one. If there is no such cycle, it is a deadlock.
 */
function skipIdle(state: State, streams: StreamState, threads: ThreadState, t: number): number {
  const { pipes, cores } = state;
  let next = NEVER;
  for (const times of [pipes.headReady, pipes.tailFree, streams.due])
    for (let i = 0; i < times.length; i++) if (times[i] > t && times[i] < next) next = times[i];
  if (next === NEVER) throw deadlock(state, threads, t);
  if (next > t + 1) {
    const once = cores.where.slice();
    stepCores(state, threads, t);
    for (let i = 0; i < once.length; i++) once[i] = cores.where[i] - once[i];
    // stepCores has just counted one repeat; the rest follow.
    for (let i = 0; i < once.length; i++) cores.where[i] += once[i] * (next - t - 2);
  }
  return next;
}

function deadlock(state: State, threads: ThreadState, t: number): EmulateError {
  const { cores, program } = state;
  const waiting: string[] = [];
  const before = cores.where.slice();
  stepCores(state, threads, t);
  for (let pe = 0; pe < state.pes && waiting.length < 8; pe++)
    CAUSES.forEach((name, c) => {
      const i = pe * CAUSE_COUNT + c;
      if (name !== 'done' && cores.where[i] > before[i])
        waiting.push(`PE (${pe % program.width},${Math.floor(pe / program.width)}) ${name}`);
    });
  return new EmulateError(
    EXIT.deadlock,
    `deadlock in ${program.name} in cycle ${t}: nothing can move and ${threads.unfinished} threads are unfinished: ${waiting.join(', ')}`,
  );
}
