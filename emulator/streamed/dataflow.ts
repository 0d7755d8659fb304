// Single-thread programs by time stamps. Where no two colors want one port in the same cycle, the machine is a network
// of processes with bounded buffers: each router moves the wavelets of a route in order, each core issues its slots in
// order, and the cycle of every step is the largest of a few known cycles. So every part runs ahead as far as it knows
// the times it needs, and the mesh is never stepped.
//
// Ports that several routes share are taken as if they were free and looked at afterwards: if no cycle was used twice,
// every local rule holds, and the trajectory of the machine is unique; else the run is void.

import { MOST_CYCLES, tooLong } from '../errors.ts';
import type { Lawful } from '../laws.ts';
import type { Latencies } from '../machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../program/causes.ts';
import type { FabricProgram } from '../program/fabric.ts';
import { assertConserved } from '../stepped/conservation.ts';
import { assertLaws, lawBroken } from '../stepped/laws.ts';
import * as layout from '../stepped/layout.ts';
import { load, type State } from '../stepped/load.ts';
import { dueTime } from '../stepped/streams.ts';
import { placeName, topologyOf } from '../stepped/topology.ts';
import { advanceCore, type CoreTimes, coreTimes, progressOf } from './dataflowCore.ts';
import { PortLog } from './portLog.ts';

const { CONTROL, HEAD_READY, NEVER, PUSHED, TAIL_FREE } = layout;
const { ROUTE_PIPE, ROUTE_TARGETS, ROUTE_WORDS, TARGET_LATENCY, TARGET_PIPE, TARGET_WORDS } = layout;

interface DataflowCounts {
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, PE index y * width + x. */
  readonly where: Int32Array;
}

export type DataflowRun = Lawful<DataflowCounts>;

/** Why a program cannot be run by time stamps at all; undefined if it can be tried. */
export function whyNotDataflow({ cores, semaphores }: FabricProgram): string | undefined {
  if (semaphores > 0 || cores.some(({ threads }) => threads.length > 1)) return 'a core has several threads';
  return undefined;
}

/**
 * The run, or undefined if two colors met at a port, or if it did not come to its end with empty buffers: the stepped
 * engine then says what became of it.
 */
export function runDataflow(program: FabricProgram, latencies: Latencies): DataflowRun | undefined {
  const state = load(program, latencies);
  const { pes, pipes, routers, cores } = state;
  const { wake } = pipes;
  const log = new PortLog(routers, pes);
  const lastMove = new Int32Array(routers.routes.length).fill(-1);
  const times = coreTimes(state);
  const sent = new Int32Array(program.streams.length);
  const streamPart = wake.length - 1;
  // A part is looked at again when a push or pop has told it a time (its wake came forward); at first, all are.
  let busy = true;
  for (let forward = true; busy; forward = !forward) {
    busy = wake[streamPart] !== NEVER;
    wake[streamPart] = NEVER;
    if (busy) feedStreams(state, sent);
    for (let i = 0; i < pes; i++) {
      const pe = forward ? i : pes - 1 - i;
      if (wake[pe] !== NEVER) {
        wake[pe] = NEVER;
        advanceRouter(state, pe, lastMove, log);
        busy = true;
      }
      if (wake[pes + pe] !== NEVER) {
        wake[pes + pe] = NEVER;
        advanceCore(state, times, pe);
        busy = true;
      }
    }
  }
  const topology = topologyOf(program, state);
  if (times.unfinished > 0 || times.strayed || hasWavelets(state) || log.hasConflict()) {
    // The stepped engine will tell, but not of a wavelet that was lost here.
    assertConserved(topology, sent, progressOf(state, times));
    return undefined;
  }
  const run: DataflowCounts = { cycles: finish(state, times), where: cores.where };
  assertLaws(topology, sent, run);
  return run;
}

/** Is a wavelet left in a buffer? */
function hasWavelets({ pipes }: State): boolean {
  return pipes.pipes.some((pipe) => pipes.words[pipe + HEAD_READY] !== NEVER);
}

/** Every wavelet whose entry at the edge is known. */
function feedStreams({ program, pipes, entry }: State, sent: Int32Array): void {
  const { words } = pipes;
  for (let i = 0; i < entry.length; i++) {
    const { control, gapNumerator, gapDenominator } = program.streams[i];
    const pipe = entry[i];
    let k = sent[i];
    for (; k < control.length && words[pipe + TAIL_FREE] !== NEVER; k++) {
      const due = dueTime(k, gapNumerator, gapDenominator);
      const t = Math.max(due, words[pipe + TAIL_FREE], words[pipe + PUSHED] + 1);
      pipes.push(pipe, t, t + 1, 0, control[k]);
    }
    sent[i] = k;
  }
}

/** Moves all wavelets of the routes of a router whose times are known. */
function advanceRouter(state: State, pe: number, lastMove: Int32Array, log: PortLog): void {
  const { pipes, routers } = state;
  const { words } = pipes;
  const { firstRoute, routes } = routers;
  const end = firstRoute[pe + 1];
  for (let r = firstRoute[pe]; r < end; r += ROUTE_WORDS) {
    const pipe = routes[r + ROUTE_PIPE];
    const first = routes[r + ROUTE_TARGETS];
    const last = routes[r + ROUTE_WORDS + ROUTE_TARGETS];
    for (;;) {
      let t = words[pipe + HEAD_READY];
      for (let k = first; k < last; k += TARGET_WORDS) {
        const free = words[routes[k + TARGET_PIPE] + TAIL_FREE];
        if (free > t) t = free;
      }
      if (t === NEVER) break;
      if (t <= lastMove[r]) t = lastMove[r] + 1;
      lastMove[r] = t;
      log.add(r, t);
      const control = words[pipes.pop(pipe, t) + CONTROL];
      for (let k = first; k < last; k += TARGET_WORDS) {
        const target = routes[k + TARGET_PIPE];
        if (words[target + PUSHED] >= t) throw twoOnOneLink(state, pe, t);
        pipes.push(target, t, t + routes[k + TARGET_LATENCY], 0, control);
      }
    }
  }
}

function twoOnOneLink(state: State, pe: number, t: number): Error {
  return lawBroken(state, 'link', `two wavelets on one link out of ${placeName(state.program, pe)} in cycle ${t}`);
}

function finish({ pes, cores, program }: State, { next }: CoreTimes): number {
  let cycles = 0;
  for (let pe = 0; pe < pes; pe++) cycles = Math.max(cycles, next[pe]);
  if (cycles > MOST_CYCLES) throw tooLong(program.name, cycles);
  for (let pe = 0; pe < pes; pe++) cores.where[pe * CAUSE_COUNT + CAUSE.done] = cycles - next[pe];
  return cycles;
}
