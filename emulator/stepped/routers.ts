// The routers, one cycle. The wavelet at the head of a router buffer moves if every port of its route is free in this
// cycle and every buffer behind those ports has a credit. Routes of a PE are visited in ascending color, which is the
// order of arbitration; a wavelet that cannot move holds no port.

import { lawBroken } from './laws.ts';
import { ROUTE_HEADER_WORDS, type State, TARGET_WORDS } from './load.ts';
import { CONTROL, HEAD_READY, NEVER, PAYLOAD, PUSHED, TAIL_FREE } from './pipes.ts';

/** Moves what can move in cycle t; returns the number of moves. */
export function stepRouters(state: State, t: number): number {
  const { pes, pipes, routers } = state;
  const { firstRoute, routes } = routers;
  const { words, wake } = pipes;
  let moves = 0;
  for (let pe = 0; pe < pes; pe++) {
    if (wake[pe] > t) continue;
    const end = firstRoute[pe + 1];
    let busy = 0;
    let next = NEVER;
    let targets = 0;
    for (let r = firstRoute[pe]; r < end; r = targets) {
      const pipe = routes[r];
      const ports = routes[r + 1];
      const first = r + ROUTE_HEADER_WORDS;
      targets = first + routes[r + 2] * TARGET_WORDS;
      let possible = words[pipe + HEAD_READY];
      if (possible <= t) {
        if ((ports & busy) !== 0) possible = t + 1;
        else
          for (let k = first; k < targets; k += TARGET_WORDS) {
            const free = words[routes[k] + TAIL_FREE];
            if (free > possible) possible = free;
          }
      }
      if (possible <= t) {
        busy |= ports;
        moves++;
        const entry = pipes.pop(pipe, t);
        const payload = words[entry + PAYLOAD];
        const control = words[entry + CONTROL];
        for (let k = first; k < targets; k += TARGET_WORDS) {
          if (words[routes[k] + PUSHED] === t) throw lawBroken(state, `two wavelets on one link in cycle ${t}`);
          pipes.push(routes[k], t, t + routes[k + 1], payload, control);
        }
        possible = words[pipe + HEAD_READY];
      }
      if (possible < next) next = possible;
    }
    wake[pe] = next > t ? next : t + 1;
  }
  return moves;
}
