// Deadlock: nothing can move, now or later, and a thread is unfinished. Then everything that could move waits for one
// other thing, and following these waits from a thread leads into a circle or to what will never come. This is that
// path, thread by thread and buffer by buffer.

import { EmulateError, EXIT, internalError } from '../errors.ts';
import { CAUSE, CAUSES } from '../program/causes.ts';
import { PORT } from '../program/fabric.ts';
import * as instruction from '../program/instruction.ts';
import { assertConserved, type Progress } from './conservation.ts';
import type { ThreadState } from './cores.ts';
import * as layout from './layout.ts';
import { bufferName, capacity, pipeOf, placeName, type Topology, wavelets } from './topology.ts';

const { AT_GIVE, AT_INPUT, AT_OUTPUT, AT_OVERHEAD, AT_TAKE, AT_TRIGGER, INSTRUCTION_WORDS, NONE } = instruction;
const { NEVER, ROUTE_TARGETS, ROUTE_WORDS, TAIL_FREE, TARGET_PIPE, TARGET_WORDS } = layout;

/** Threads that the first line names, and lines of a path that are shown, from its beginning and its end. */
const MOST_THREADS = 8;
const FIRST_LINES = 40;
const LAST_LINES = 8;

/** What waits: a thread, or the wavelet at the head of the buffer that a route takes from. */
type Waiter = { readonly thread: number } | { readonly route: number };

/** What a waiter waits for, and who could end that and how; or why nobody can. */
interface Wait {
  readonly what: string;
  readonly how: 'to give it' | 'to send it' | 'to let it through' | 'to make room';
  readonly next: Waiter | string;
}

interface Stuck extends Topology {
  readonly threads: ThreadState;
  /** By route: the one that leads into its buffer, or NONE. By PE and color: the route there. */
  readonly before: Int32Array;
  readonly routeOf: ReadonlyMap<string, number>;
}

/** The error of a run that is stuck in cycle t; `entered` wavelets of each stream have come in. */
export function deadlock(
  topology: Topology,
  threads: ThreadState,
  entered: ArrayLike<number>,
  t: number,
): EmulateError {
  const { program, state } = topology;
  // A wavelet that the engine lost is waited for as well.
  assertConserved(topology, entered, progressOf(topology, threads));
  const waiting: string[] = [];
  for (let pe = 0; pe < state.pes && waiting.length < MOST_THREADS; pe++)
    if (threads.cause[pe] !== CAUSE.done) waiting.push(`${placeName(program, pe)} ${CAUSES[threads.cause[pe]]}`);
  const head = `deadlock in ${program.name} in cycle ${t}: nothing can move and ${threads.unfinished === 1 ? '1 thread is' : `${threads.unfinished} threads are`} unfinished: ${waiting.join(', ')}`;
  return new EmulateError(EXIT.deadlock, [head, ...storyOf(stuckIn(topology, threads))].join('\n'));
}

function progressOf({ state }: Topology, { item, slot }: ThreadState): Progress {
  const { pc, end, instructions } = state.cores;
  return (th) => {
    if (pc[th] === end[th]) return undefined;
    const elements = Math.max(0, slot[th] - instructions[pc[th] + AT_OVERHEAD]);
    return { pc: pc[th], items: item[th], isBegun: slot[th] > 0, elements };
  };
}

function stuckIn(topology: Topology, threads: ThreadState): Stuck {
  const { routes, routeAt } = topology;
  const before = new Int32Array(routes.length).fill(NONE);
  routes.forEach((_, i) => {
    for (const target of targetsOf(topology, i)) if (routeAt[target] !== NONE) before[routeAt[target]] = i;
  });
  return {
    ...topology,
    threads,
    before,
    routeOf: new Map(routes.map(({ x, y, color }, i) => [`${x},${y} ${color}`, i])),
  };
}

/** The path of the first thread that leads into a circle; of the first unfinished one where there is no circle. */
function storyOf(stuck: Stuck): string[] {
  const { cores } = stuck.state;
  const seen = new Set<string>();
  let chain: readonly [Waiter, Wait][] = [];
  for (let th = 0; th < stuck.threads.pe.length; th++) {
    if (cores.pc[th] === cores.end[th]) continue;
    const { path, circleFrom } = pathFrom(stuck, { thread: th }, seen);
    if (circleFrom !== undefined) return told(stuck, 'a circle of waiting', path.slice(circleFrom));
    if (chain.length === 0) chain = path;
  }
  return told(stuck, 'waiting for what never comes', chain);
}

function keyOf(waiter: Waiter): string {
  return 'thread' in waiter ? `thread ${waiter.thread}` : `route ${waiter.route}`;
}

/** Whom a waiter waits for, whom that one, and so on: to a circle, to an end, or to what was `seen` to have one. */
function pathFrom(
  stuck: Stuck,
  from: Waiter,
  seen: Set<string>,
): { path: [Waiter, Wait][]; circleFrom: number | undefined } {
  const path: [Waiter, Wait][] = [];
  const at = new Map<string, number>();
  let waiter: Waiter = from;
  for (;;) {
    const key = keyOf(waiter);
    const circleFrom = at.get(key);
    if (circleFrom !== undefined || seen.has(key)) return { path, circleFrom };
    at.set(key, path.length);
    const wait = 'thread' in waiter ? waitOfThread(stuck, waiter.thread) : waitOfHead(stuck, waiter.route);
    path.push([waiter, wait]);
    if (typeof wait.next === 'string') break;
    waiter = wait.next;
  }
  for (const key of at.keys()) seen.add(key);
  return { path, circleFrom: undefined };
}

function told(stuck: Stuck, title: string, path: readonly [Waiter, Wait][]): string[] {
  const lines = path.map(([waiter, { what }], i) => {
    const how = i === 0 ? '' : `${path[i - 1][1].how}: `;
    return `  ${how}${nameOf(stuck, waiter)} waits for ${what}`;
  });
  const [first] = path[0];
  const { how, next } = path[path.length - 1][1];
  const end = typeof next === 'string' ? `nobody, ${next}` : `back to ${nameOf(stuck, first)}`;
  const left = lines.length - FIRST_LINES - LAST_LINES;
  if (left > 0) lines.splice(FIRST_LINES, left, `  ... ${left} more`);
  return [`${title}:`, ...lines, `  ${how}: ${end}`];
}

function nameOf(stuck: Stuck, waiter: Waiter): string {
  const { program, state, routes, threads } = stuck;
  if ('route' in waiter) {
    const pipe = pipeOf(state, waiter.route);
    const held = `${wavelets(state, pipe)} of ${capacity(state, pipe)} wavelets`;
    return `${bufferName(stuck, waiter.route)}, color ${routes[waiter.route].color} (${held})`;
  }
  const { thread } = waiter;
  const { firstThread, pc, end } = state.cores;
  const pe = threads.pe[thread];
  const number = thread - firstThread[pe] + 1;
  const last = firstThread[pe + 1] - firstThread[pe];
  const code = program.cores[pe].threads[number - 1];
  const done = (pc[thread] - (end[thread] - code.length)) / INSTRUCTION_WORDS;
  const which = number === last ? 'main thread' : `thread ${number} of ${last}`;
  return `${placeName(program, pe)} ${which} (instruction ${done + 1} of ${code.length / INSTRUCTION_WORDS})`;
}

/** What a thread waits for, of several things the first that machine.md names. */
function waitOfThread(stuck: Stuck, th: number): Wait {
  const { program, state, routeAt, threads } = stuck;
  const { instructions, semaphore } = state.cores;
  const { words } = state.pipes;
  const pc = state.cores.pc[th];
  const pe = threads.pe[th];
  const slot = threads.slot[th];
  if (slot === 0) {
    const take = instructions[pc + AT_TAKE];
    if (take !== NONE && threads.item[th] === 0 && semaphore[pe * program.semaphores + take] === 0)
      return {
        what: `semaphore ${take}`,
        how: 'to give it',
        next: threadThat(stuck, pe, AT_GIVE, take) ?? 'no thread of the PE gives it any more',
      };
    const trigger = instructions[pc + AT_TRIGGER];
    if (trigger !== NONE && wavelets(state, threads.trigger[th]) === 0) return waitForWavelet(stuck, pe, trigger);
  }
  if (slot >= instructions[pc + AT_OVERHEAD]) {
    const input = instructions[pc + AT_INPUT];
    if (input !== NONE && wavelets(state, threads.input[th]) === 0) return waitForWavelet(stuck, pe, input);
    const output = threads.output[th];
    if (output !== NONE && words[output + TAIL_FREE] === NEVER)
      return {
        what: `a credit of its output queue of color ${instructions[pc + AT_OUTPUT]}`,
        how: 'to make room',
        next: { route: routeAt[output] },
      };
  }
  throw internalError(`${program.name}: a thread of ${placeName(program, pe)} could move, and this is no deadlock`);
}

/** The thread of a PE that has an instruction still to do whose `field` is `value`. */
function threadThat({ state }: Stuck, pe: number, field: number, value: number): Waiter | undefined {
  const { firstThread, instructions, pc, end } = state.cores;
  for (let thread = firstThread[pe]; thread < firstThread[pe + 1]; thread++)
    for (let at = pc[thread]; at < end[thread]; at += INSTRUCTION_WORDS)
      if (instructions[at + field] === value) return { thread };
  return undefined;
}

/** An input queue is empty: the way back to the nearest buffer that holds a wavelet, or to who is to send one. */
function waitForWavelet(stuck: Stuck, pe: number, color: number): Wait {
  const { program, state, routes, before, routeOf } = stuck;
  const what = `a wavelet of color ${color}, its input queue is empty`;
  let route = routeOf.get(`${pe % program.width},${Math.floor(pe / program.width)} ${color}`);
  if (route === undefined) throw internalError(`${program.name}: no route of color ${color} at PE ${pe}`);
  while (before[route] !== NONE && wavelets(state, pipeOf(state, route)) === 0) route = before[route];
  if (wavelets(state, pipeOf(state, route)) > 0) return { what, how: 'to let it through', next: { route } };
  const { x, y, from } = routes[route];
  const at = y * program.width + x;
  const place = placeName(program, at);
  const how = 'to send it';
  if (from === PORT.R)
    return { what, how, next: threadThat(stuck, at, AT_OUTPUT, color) ?? `no thread of ${place} sends any more` };
  const isFed = state.entry.includes(pipeOf(state, route));
  return { what, how, next: isFed ? `the stream into ${place} has ended` : `no stream enters ${place}` };
}

/** What the wavelet at the head of the buffer of a route waits for: the first buffer behind it that is full. */
function waitOfHead(stuck: Stuck, route: number): Wait {
  const { program, state, routes, routeAt } = stuck;
  const { x, y, color } = routes[route];
  const pe = y * program.width + x;
  const full = targetsOf(stuck, route).find((target) => state.pipes.words[target + TAIL_FREE] === NEVER);
  if (full === undefined)
    throw internalError(`${program.name}: the ${bufferName(stuck, route)} could move, and this is no deadlock`);
  if (routeAt[full] !== NONE)
    return {
      what: `a credit of the ${bufferName(stuck, routeAt[full])}`,
      how: 'to make room',
      next: { route: routeAt[full] },
    };
  const taker = threadThat(stuck, pe, AT_TRIGGER, color) ?? threadThat(stuck, pe, AT_INPUT, color);
  return {
    what: `a credit of the input queue of ${placeName(program, pe)}, color ${color} (${wavelets(state, full)} of ${capacity(state, full)} wavelets)`,
    how: 'to make room',
    next: taker ?? 'no thread of the PE takes from it any more',
  };
}

/** The pipes that a route leads into. */
function targetsOf({ state, pipeAt }: Topology, route: number): number[] {
  const { routes: records } = state.routers;
  const last = records[(route + 1) * ROUTE_WORDS + ROUTE_TARGETS];
  const targets: number[] = [];
  for (let k = records[route * ROUTE_WORDS + ROUTE_TARGETS]; k < last; k += TARGET_WORDS)
    targets.push(pipeAt(records[k + TARGET_PIPE]));
  return targets;
}
