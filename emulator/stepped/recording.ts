// What some PEs of a program did in a span of cycles: for each core which thread had the slot, which instruction, item and slot of
// it, or what it waited for; for each of its buffers how many wavelets lay in it as the cycle began, and whether one came
// or went. Stretches in which nothing of this changes are one run of it.

import type { Latencies } from '../machine/spec.ts';
import { CAUSE } from '../program/causes.ts';
import { type FabricProgram, PORT } from '../program/fabric.ts';
import * as instruction from '../program/instruction.ts';
import { runWatched, type Stepping, type Watcher } from './engine.ts';
import { PUSHED, ROUTE_TARGETS, ROUTE_WORDS, TARGET_PIPE, TARGET_WORDS } from './layout.ts';
import { type Topology, topologyOf, wavelets } from './topology.ts';

const { AT_CAUSE, AT_OVERHEAD, INSTRUCTION_WORDS, NONE } = instruction;

/** A stretch of cycles `from .. until - 1` of a core. */
export interface CoreRun {
  readonly from: number;
  readonly until: number;
  readonly cause: number;
  /** The thread that has the slots; where there are none, the one whose waiting counts. NONE where all have finished. */
  readonly thread: number;
  /** Place of the instruction within its thread, and the item of it that runs; the slot of the first cycle. */
  readonly instruction: number;
  readonly item: number;
  readonly slot: number;
}

/** A stretch of cycles of a buffer; in each of them a wavelet was sent into it, or taken from it, or not. */
export interface BufferRun {
  readonly from: number;
  readonly until: number;
  /** Wavelets in it as each of these cycles begins, those on their way into it included. */
  readonly depth: number;
  readonly isFilled: boolean;
  readonly isDrained: boolean;
}

export interface BufferRecording {
  readonly kind: 'router' | 'input' | 'output';
  /** Of a router's buffer, the port that it stands at. */
  readonly port: number;
  readonly color: number;
  readonly runs: readonly BufferRun[];
}

export interface PeRecording {
  readonly pe: number;
  readonly core: readonly CoreRun[];
  /** Ascending in color; of a color the router's buffer or the output queue, then the input queue. */
  readonly buffers: readonly BufferRecording[];
}

export interface Recording {
  /** Cycles `from .. until - 1` are recorded; fewer than were asked for where the program ended, or there was no more room. */
  readonly from: number;
  readonly until: number;
  readonly isEnded: boolean;
  readonly isCut: boolean;
  readonly pes: readonly PeRecording[];
}

export interface Span {
  readonly from: number;
  /** The first cycle after it. */
  readonly until: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Watched {
  readonly pe: number;
  readonly threads: readonly number[];
  readonly core: Mutable<CoreRun>[];
  readonly buffers: readonly WatchedBuffer[];
  /** Where each thread stood as the cycle began: instruction word, item, slot. */
  readonly stood: Int32Array;
}

interface WatchedBuffer extends BufferRecording {
  readonly pipe: number;
  readonly runs: Mutable<BufferRun>[];
  depth: number;
}

const STANDING = 3;

/** Runs a program up to the end of `span` and records these PEs of it, as long as it takes no more than `most` runs. */
export function record(
  program: FabricProgram,
  latencies: Latencies,
  { pes, span, most }: { readonly pes: readonly number[]; readonly span: Span; readonly most: number },
): Recording {
  let watched: Watched[] = [];
  let runs = 0;
  let until = span.from;
  const watch = (stepping: Stepping): Watcher => {
    const topology = topologyOf(program, stepping.state);
    watched = pes.map((pe) => watchedOf(topology, pe));
    return {
      before: (t) => {
        if (t >= span.from) for (const one of watched) stand(stepping, one);
      },
      after: (t, next) => {
        until = Math.max(span.from, Math.min(next, span.until));
        if (next <= span.from) return true;
        for (const one of watched) {
          runs += noteCore(stepping, one, t, span, until);
          runs += noteBuffers(stepping, one, t, span, until);
        }
        return next < span.until && runs <= most;
      },
    };
  };
  const { isEnded } = runWatched(program, latencies, watch);
  return {
    from: span.from,
    until,
    isEnded,
    isCut: !isEnded && until < span.until,
    pes: watched.map(({ pe, core, buffers }) => ({
      pe,
      core,
      buffers: buffers.map(({ kind, port, color, runs: of }) => ({ kind, port, color, runs: of })),
    })),
  };
}

function watchedOf({ program, state, routes, routeAt }: Topology, pe: number): Watched {
  const { firstThread } = state.cores;
  const { routes: records } = state.routers;
  const threads = Array.from({ length: firstThread[pe + 1] - firstThread[pe] }, (_, i) => firstThread[pe] + i);
  const buffers: WatchedBuffer[] = [];
  const add = (kind: BufferRecording['kind'], port: number, color: number, pipe: number): void => {
    buffers.push({ kind, port, color, pipe, runs: [], depth: 0 });
  };
  routes.forEach(({ x, y, color, from }, i) => {
    if (y * program.width + x !== pe) return;
    add(from === PORT.R ? 'output' : 'router', from, color, records[i * ROUTE_WORDS]);
    const last = records[(i + 1) * ROUTE_WORDS + ROUTE_TARGETS];
    for (let k = records[i * ROUTE_WORDS + ROUTE_TARGETS]; k < last; k += TARGET_WORDS) {
      const pipe = records[k + TARGET_PIPE];
      if (routeAt[pipe] === NONE) add('input', PORT.R, color, pipe);
    }
  });
  return { pe, threads, core: [], buffers, stood: new Int32Array(threads.length * STANDING) };
}

function stand({ state, threads: { item, slot } }: Stepping, { threads, buffers, stood }: Watched): void {
  threads.forEach((th, i) => {
    stood[i * STANDING] = state.cores.pc[th];
    stood[i * STANDING + 1] = item[th];
    stood[i * STANDING + 2] = slot[th];
  });
  for (const buffer of buffers) buffer.depth = wavelets(state, buffer.pipe);
}

/** What the core did in cycle t and does until `to`; returns the number of new runs. */
function noteCore(stepping: Stepping, one: Watched, t: number, { from }: Span, to: number): number {
  const before = one.core.length;
  for (let cycle = Math.max(t, from); cycle < to; cycle++) {
    const now = coreCycle(stepping, one, t, cycle);
    const last = one.core.at(-1);
    if (last !== undefined && goesOn(last, now)) last.until++;
    else one.core.push(now);
  }
  return one.core.length - before;
}

function goesOn(last: CoreRun, now: CoreRun): boolean {
  const { cause, thread, instruction, item } = now;
  if (last.cause !== cause || last.thread !== thread || last.instruction !== instruction || last.item !== item)
    return false;
  return cause > CAUSE.reduce || now.slot === last.slot + last.until - last.from;
}

/** The core in `cycle`, after cycle t was stepped; until the next one that is, it sleeps or counts down slots. */
function coreCycle(
  { state, threads: all }: Stepping,
  { pe, threads, stood }: Watched,
  t: number,
  cycle: number,
): CoreRun {
  const { cores } = state;
  const at = { from: cycle, until: cycle + 1 };
  const startOf = (i: number): number => cores.end[threads[i]] - state.program.cores[pe].threads[i].length;
  const slotOf = (i: number, pc: number, item: number, slot: number): CoreRun => {
    const isOverhead = slot < cores.instructions[pc + AT_OVERHEAD];
    const cause = isOverhead ? CAUSE.overhead : cores.instructions[pc + AT_CAUSE];
    return { ...at, cause, thread: i, instruction: (pc - startOf(i)) / INSTRUCTION_WORDS, item, slot };
  };
  if (all.sleptFrom[pe] === t + 1 && cycle === t) {
    const i = threads.findIndex((th, k) => {
      const [pc, item, slot] = stood.subarray(k * STANDING, (k + 1) * STANDING);
      return cores.pc[th] !== pc || all.item[th] !== item || all.slot[th] !== slot;
    });
    const [pc, item, slot] = stood.subarray(i * STANDING, (i + 1) * STANDING);
    return slotOf(i, pc, item, slot);
  }
  const running = all.running[pe];
  if (running !== NONE) {
    const left = all.run[running] - (cycle - all.sleptFrom[pe]);
    return slotOf(running - threads[0], cores.pc[running], all.item[running], all.slot[running] - left);
  }
  const i = threads.findLastIndex((th) => cores.pc[th] < cores.end[th]);
  const cause = all.cause[pe];
  if (i === -1) return { ...at, cause, thread: NONE, instruction: NONE, item: 0, slot: 0 };
  const th = threads[i];
  const instruction = (cores.pc[th] - startOf(i)) / INSTRUCTION_WORDS;
  return { ...at, cause, thread: i, instruction, item: all.item[th], slot: all.slot[th] };
}

function noteBuffers({ state }: Stepping, { buffers }: Watched, t: number, { from }: Span, to: number): number {
  const { words } = state.pipes;
  let fresh = 0;
  const note = (runs: Mutable<BufferRun>[], run: BufferRun): void => {
    const last = runs.at(-1);
    const { depth, isFilled, isDrained } = run;
    if (last?.depth === depth && last.isFilled === isFilled && last.isDrained === isDrained) last.until = run.until;
    else {
      runs.push({ ...run });
      fresh++;
    }
  };
  for (const { pipe, runs, depth } of buffers) {
    const left = wavelets(state, pipe);
    const isFilled = words[pipe + PUSHED] === t;
    const isDrained = depth + (isFilled ? 1 : 0) > left;
    if (t >= from) note(runs, { from: t, until: t + 1, depth, isFilled, isDrained });
    const first = Math.max(t + 1, from);
    if (first < to) note(runs, { from: first, until: to, depth: left, isFilled: false, isDrained: false });
  }
  return fresh;
}
