// The routers, one cycle. The wavelet at the head of a router buffer moves if every port of its route is free in this
// cycle and every buffer behind those ports has a credit. Routes of a PE are visited in ascending color, which is the
// order of arbitration; a wavelet that cannot move holds no port.

import { lawBroken } from './laws.ts';
import * as layout from './layout.ts';
import type { State } from './load.ts';
import { placeName } from './topology.ts';

const { CONTROL, HEAD_READY, NEVER, PAYLOAD, PUSHED, TAIL_FREE } = layout;
const { ROUTE_PIPE, ROUTE_PORTS, ROUTE_TARGETS, ROUTE_WORDS, TARGET_LATENCY, TARGET_PIPE, TARGET_WORDS } = layout;

/** Moves what can move in cycle t; returns the number of moves. */
export function stepRouters(state: State, t: number): number {
  const { firstPe, endPe, pipes, routers } = state;
  const { firstRoute, routes } = routers;
  const { words, wake } = pipes;
  let moves = 0;
  for (let pe = firstPe; pe < endPe; pe++) {
    if (wake[pe] > t) continue;
    const end = firstRoute[pe + 1];
    let busy = 0;
    let next = NEVER;
    for (let r = firstRoute[pe]; r < end; r += ROUTE_WORDS) {
      const pipe = routes[r + ROUTE_PIPE];
      let possible = words[pipe + HEAD_READY];
      if (possible <= t) {
        const ports = routes[r + ROUTE_PORTS];
        const first = routes[r + ROUTE_TARGETS];
        const last = routes[r + ROUTE_WORDS + ROUTE_TARGETS];
        if ((ports & busy) !== 0) possible = t + 1;
        else
          for (let k = first; k < last; k += TARGET_WORDS) {
            const free = words[routes[k + TARGET_PIPE] + TAIL_FREE];
            if (free > possible) possible = free;
          }
        if (possible <= t) {
          busy |= ports;
          moves++;
          const entry = pipes.pop(pipe, t);
          const payload = words[entry + PAYLOAD];
          const control = words[entry + CONTROL];
          for (let k = first; k < last; k += TARGET_WORDS) {
            const target = routes[k + TARGET_PIPE];
            if (words[target + PUSHED] === t) throw twoOnOneLink(state, pe, t);
            pipes.push(target, t, t + routes[k + TARGET_LATENCY], payload, control);
          }
          possible = words[pipe + HEAD_READY];
        }
      }
      if (possible < next) next = possible;
    }
    wake[pe] = next > t ? next : t + 1;
  }
  return moves;
}

function twoOnOneLink(state: State, pe: number, t: number): Error {
  return lawBroken(state, 'link', `two wavelets on one link out of ${placeName(state.program, pe)} in cycle ${t}`);
}
