// The stepped engine, the judge: docs/machine.md cycle for cycle, for any program of routes and threads. In each cycle
// every router, stream and core decides on the state as the cycle began; entries and credits carry the cycle from which
// they count, so the order of visiting does not matter. Parts that provably can do nothing are not visited.

import { MOST_CYCLES, tooLong } from '../errors.ts';
import type { Lawful } from '../laws.ts';
import type { Latencies } from '../machine/spec.ts';
import type { FabricProgram } from '../program/fabric.ts';
import { countSleep, decode, startThreads, stepCores, type ThreadState } from './cores.ts';
import { deadlock } from './deadlock.ts';
import { assertLaws } from './laws.ts';
import { NEVER } from './layout.ts';
import { load, type State } from './load.ts';
import { stepRouters } from './routers.ts';
import { startStreams, stepStreams, type StreamState } from './streams.ts';
import { topologyOf } from './topology.ts';

interface SteppedCounts {
  /** Cycle of the last slot, plus one. */
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, PE index y * width + x; those of a PE add up to `cycles`. */
  readonly where: Int32Array;
  /** The bank of PE memories as the run left it; empty where the program carries no values. */
  readonly memory: Float32Array;
}

export type SteppedRun = Lawful<SteppedCounts>;

export interface SteppedOptions {
  /** Visit every part in every cycle: slower, the same result; it is the check on sleeping. */
  readonly visitAll?: boolean;
}

/** A program under way. */
export interface Stepping {
  readonly program: FabricProgram;
  readonly state: State;
  readonly threads: ThreadState;
  readonly streams: StreamState;
}

/** Sees a run in each cycle that is visited; between two of them nothing moves, and cores wait or count down slots. */
export interface Watcher {
  before(t: number): void;
  /** `next` is the cycle that is visited next. False: it has seen enough, and the run is left there. */
  after(t: number, next: number): boolean;
}

/** Runs a program to its end. Throws on deadlock (exit 4) and on a broken law (exit 5). */
export function runStepped(program: FabricProgram, latencies: Latencies, options: SteppedOptions = {}): SteppedRun {
  const stepping = start(program, latencies);
  const t = stepOn(stepping, options.visitAll === true, undefined);
  const { state, threads, streams } = stepping;
  for (let pe = 0; pe < state.pes; pe++) countSleep(state, threads, pe, t);
  const run: SteppedCounts = { cycles: t, where: state.cores.where, memory: state.memory };
  assertLaws(topologyOf(program, state), streams.next, run);
  return run;
}

/** Runs a program as `runStepped` does, to its end or until the watcher has seen enough. Returns the cycles that were run. */
export function runWatched(
  program: FabricProgram,
  latencies: Latencies,
  watch: (stepping: Stepping) => Watcher,
): { readonly cycles: number; readonly isEnded: boolean } {
  const stepping = start(program, latencies);
  const cycles = stepOn(stepping, false, watch(stepping));
  return { cycles, isEnded: stepping.threads.unfinished === 0 };
}

function start(program: FabricProgram, latencies: Latencies): Stepping {
  const state = load(program, latencies);
  const threads = startThreads(state);
  for (let th = 0; th < threads.pe.length; th++)
    if (state.cores.pc[th] < state.cores.end[th]) decode(state, threads, th);
  return { program, state, threads, streams: startStreams(program.streams) };
}

/** Cycle by cycle until no thread is unfinished; returns the first cycle that was not stepped. */
function stepOn({ program, state, threads, streams }: Stepping, visitAll: boolean, watcher?: Watcher): number {
  const { wake } = state.pipes;
  let t = 0;
  while (threads.unfinished > 0) {
    if (visitAll) wake.fill(0);
    if (t > MOST_CYCLES) throw tooLong(program.name, t);
    watcher?.before(t);
    const moves = stepRouters(state, t) + stepStreams(state, streams, t) + stepCores(state, threads, t);
    const next = moves > 0 ? t + 1 : nextEvent(state);
    if (next === NEVER) throw deadlock(topologyOf(program, state), threads, streams.next, t);
    if (watcher?.after(t, threads.unfinished > 0 ? next : t + 1) === false) return t + 1;
    t = next;
  }
  return t;
}

/** After a cycle in which nothing moved: the next one in which something can, NEVER if there is none. */
export function nextEvent({ pes, firstPe, endPe, streamPart, pipes }: State): number {
  const { wake } = pipes;
  let next = wake[streamPart];
  for (let pe = firstPe; pe < endPe; pe++) {
    if (wake[pe] < next) next = wake[pe];
    if (wake[pes + pe] < next) next = wake[pes + pe];
  }
  return next;
}
