// What the flat banks of a run do not say: which route, PE and color a pipe belongs to. Made once a run has ended, for the
// laws and for the story of a deadlock.

import { type FabricProgram, PORT, type Route } from '../program/fabric.ts';
import { NONE } from '../program/instruction.ts';
import { ENTRY_WORDS, HEAD, HEAD_READY, HEADER_WORDS, NEVER, NEXT, ROUTE_PIPE, ROUTE_WORDS, TAIL } from './layout.ts';
import type { State } from './load.ts';

export interface Topology {
  readonly program: FabricProgram;
  readonly state: State;
  /** In the order of their records. */
  readonly routes: readonly Route[];
  /** By pipe: the route that takes from it, NONE where a core does. */
  readonly routeAt: Int32Array;
  /** By pipe: itself; but of the image that a band sends into, the pipe of which it is the image (cut.ts). */
  readonly pipeAt: (pipe: number) => number;
}

const itself = (pipe: number): number => pipe;

/** `program` is the one that was loaded; the state of a band knows no routes. */
export function topologyOf(program: FabricProgram, state: State, pipeAt = itself): Topology {
  const peOf = ({ x, y }: Route): number => y * program.width + x;
  const routes = [...program.routes].sort((a, b) => peOf(a) - peOf(b) || a.color - b.color);
  const routeAt = new Int32Array(state.pipes.words.length).fill(NONE);
  for (let i = 0; i < routes.length; i++) routeAt[pipeOf(state, i)] = i;
  return { program, state, routes, routeAt, pipeAt };
}

/** The pipe that route i takes from. */
export function pipeOf({ routers }: State, i: number): number {
  return routers.routes[i * ROUTE_WORDS + ROUTE_PIPE];
}

/** Wavelets in a pipe, those on their way into it included. */
export function wavelets({ pipes }: State, pipe: number): number {
  const { words } = pipes;
  if (words[pipe + HEAD_READY] === NEVER) return 0;
  let count = 0;
  let at = words[pipe + HEAD];
  do {
    count++;
    at = words[at + NEXT];
  } while (at !== words[pipe + TAIL]);
  return count;
}

/** Entries of a pipe: the ring that they form. */
export function capacity({ pipes }: State, pipe: number): number {
  const { words } = pipes;
  const first = pipe + HEADER_WORDS;
  let last = first;
  while (words[last + NEXT] !== first) last += ENTRY_WORDS;
  return (last - first) / ENTRY_WORDS + 1;
}

export function placeName({ width }: FabricProgram, pe: number): string {
  return `PE (${pe % width},${Math.floor(pe / width)})`;
}

/** `the router buffer of port W of PE (1,0)`; that of the ramp port is the core's output queue. */
export function bufferName({ program, routes }: Topology, i: number): string {
  const { x, y, from } = routes[i];
  const kind = from === PORT.R ? 'output queue' : `router buffer of port ${'NESWR'[from]}`;
  return `${kind} of ${placeName(program, y * program.width + x)}`;
}
