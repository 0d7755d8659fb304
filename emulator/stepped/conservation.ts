// Wavelets in = out, by color: of every source, a stream or the core that sends a color, as many wavelets have been taken
// by each core that its routes lead to, or still lie in the buffers on the way there. True at any time of any run.

import { LawError, lawBroken } from '../laws.ts';
import type { Latencies } from '../machine/spec.ts';
import { type FabricProgram, PORT } from '../program/fabric.ts';
import * as instruction from '../program/instruction.ts';
import { ROUTE_TARGETS, ROUTE_WORDS, TARGET_PIPE, TARGET_WORDS } from './layout.ts';
import { load } from './load.ts';
import { bufferName, pipeOf, placeName, type Topology, topologyOf, wavelets } from './topology.ts';

const { AT_INPUT, AT_OUTPUT, AT_REPEAT, AT_SLOTS, AT_TRIGGER, INSTRUCTION_WORDS, NONE } = instruction;

/** Where a thread that is not at its end stands. */
export interface Standing {
  /** Offset of its instruction, items of it that are done, and whether one is begun, with so many element slots done. */
  readonly pc: number;
  readonly items: number;
  readonly isBegun: boolean;
  readonly elements: number;
}

/** By thread; undefined where it is at its end. */
export type Progress = (thread: number) => Standing | undefined;

export const finished: Progress = () => undefined;

/** Wavelets of each color that a core, or one of its threads, has sent and taken. */
interface Use {
  readonly sent: Map<number, number>;
  readonly taken: Map<number, number>;
}

/** Throws (exit 5) if a wavelet was lost or made; `entered` wavelets of each stream have come in. */
export function assertConserved(topology: Topology, entered: ArrayLike<number>, progress: Progress): void {
  const { program, state, routes } = topology;
  const uses = usesOf(topology, progress);
  const streamAt = new Map(program.streams.map((_, i) => [state.entry[i], i]));
  routes.forEach(({ x, y, color, from }, i) => {
    const stream = streamAt.get(pipeOf(state, i));
    if (stream !== undefined) follow(topology, uses, i, entered[stream]);
    else if (from === PORT.R) follow(topology, uses, i, uses[y * program.width + x].sent.get(color) ?? 0);
  });
}

/** Is as much taken as is sent, if a program runs to its end? Throws where it cannot be run at all. */
export function isBalanced(program: FabricProgram, latencies: Latencies): boolean {
  const entered = program.streams.map(({ control }) => control.length);
  try {
    assertConserved(topologyOf(program, load(program, latencies)), entered, finished);
    return true;
  } catch (error) {
    if (error instanceof LawError) return false;
    throw error;
  }
}

/** Follows the routes from one whose pipe `sent` wavelets have been sent into, to all cores behind. */
function follow(topology: Topology, uses: readonly Use[], from: number, sent: number): void {
  const { program, state, routes, routeAt, pipeAt } = topology;
  const { routes: records } = state.routers;
  const ahead: [route: number, arrived: number][] = [[from, sent]];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const [i, arrived] = next;
    const { x, y, color } = routes[i];
    const moved = arrived - wavelets(state, pipeOf(state, i));
    const first = records[i * ROUTE_WORDS + ROUTE_TARGETS];
    const last = records[(i + 1) * ROUTE_WORDS + ROUTE_TARGETS];
    for (let k = first; k < last; k += TARGET_WORDS) {
      const target = pipeAt(records[k + TARGET_PIPE]);
      if (routeAt[target] !== NONE) ahead.push([routeAt[target], moved]);
      else {
        const pe = y * program.width + x;
        const taken = uses[pe].taken.get(color) ?? 0;
        const gone = moved - wavelets(state, target);
        if (gone !== taken) throw notTaken(topology, from, pe, gone, taken);
      }
    }
  }
}

function notTaken(topology: Topology, from: number, pe: number, sent: number, taken: number): LawError {
  const { program, routes } = topology;
  const kind = routes[from].from === PORT.R ? '' : 'stream into the ';
  const source = `color ${routes[from].color} from the ${kind}${bufferName(topology, from)}`;
  const text = `wavelets in = out of ${source} to ${placeName(program, pe)}: sent ${sent}, taken ${taken}`;
  return lawBroken(program.name, 'wavelets', text);
}

/** Throws (exit 5) if a wavelet is left in a buffer. */
export function assertEmpty(topology: Topology): void {
  const { program, state, routes, routeAt, pipeAt } = topology;
  const { routes: records } = state.routers;
  routes.forEach(({ x, y, color }, i) => {
    const check = (pipe: number, name: () => string): void => {
      const left = wavelets(state, pipe);
      if (left > 0)
        throw lawBroken(program.name, 'wavelets', `wavelets in = out: ${left} of color ${color} left in the ${name()}`);
    };
    check(pipeOf(state, i), () => bufferName(topology, i));
    const last = records[(i + 1) * ROUTE_WORDS + ROUTE_TARGETS];
    for (let k = records[i * ROUTE_WORDS + ROUTE_TARGETS]; k < last; k += TARGET_WORDS) {
      const target = pipeAt(records[k + TARGET_PIPE]);
      if (routeAt[target] === NONE) check(target, () => `input queue of ${placeName(program, y * program.width + x)}`);
    }
  });
}

/** By PE. Threads that have run the same code to its end have used the same. */
function usesOf({ program, state }: Topology, progress: Progress): Use[] {
  const whole = new Map<Int32Array, Use>();
  const { firstThread, end } = state.cores;
  return program.cores.map(({ threads }, pe) => {
    const core: Use = { sent: new Map(), taken: new Map() };
    threads.forEach((code, i) => {
      const th = firstThread[pe] + i;
      const standing = progress(th);
      if (standing !== undefined) add(core, useOf(code, standing.pc - (end[th] - code.length), standing));
      else {
        const use = whole.get(code) ?? useOf(code, code.length);
        whole.set(code, use);
        add(core, use);
      }
    });
    return core;
  });
}

/** What all instructions before word `at` have used, and what the one there. */
function useOf(code: Int32Array, at: number, standing?: Standing): Use {
  const use: Use = { sent: new Map(), taken: new Map() };
  for (let i = 0; i < at; i += INSTRUCTION_WORDS) {
    const repeat = code[i + AT_REPEAT];
    count(use, code, i, repeat, repeat * code[i + AT_SLOTS]);
  }
  if (standing !== undefined) {
    const { items, isBegun, elements } = standing;
    count(use, code, at, items + (isBegun ? 1 : 0), items * code[at + AT_SLOTS] + elements);
  }
  return use;
}

/** Counts `items` items begun and `elements` element slots of the instruction at `i`. */
function count({ sent, taken }: Use, code: Int32Array, i: number, items: number, elements: number): void {
  if (code[i + AT_TRIGGER] !== NONE) increase(taken, code[i + AT_TRIGGER], items);
  if (code[i + AT_INPUT] !== NONE) increase(taken, code[i + AT_INPUT], elements);
  if (code[i + AT_OUTPUT] !== NONE) increase(sent, code[i + AT_OUTPUT], elements);
}

function add(into: Use, { sent, taken }: Use): void {
  for (const [color, wavelets] of sent) increase(into.sent, color, wavelets);
  for (const [color, wavelets] of taken) increase(into.taken, color, wavelets);
}

function increase(bank: Map<number, number>, color: number, by: number): void {
  bank.set(color, (bank.get(color) ?? 0) + by);
}
