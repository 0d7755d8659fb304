// The routers, one cycle. The wavelet at the head of a router buffer moves if every port of its route is free in this
// cycle and every buffer behind those ports has a credit. Pipes of a PE are visited in ascending color, which is the
// order of arbitration; a wavelet that cannot move holds no port.

import { lawBroken } from './laws.ts';
import type { State } from './load.ts';

/** Moves what can move in cycle t; returns the number of moves. */
export function stepRouters(state: State, t: number): number {
  const { pes, pipes, routers } = state;
  const { firstRouted, ports, firstTarget, target, delay } = routers;
  const { headReady, tailFree, pushed } = pipes;
  let moves = 0;
  let pipe = 0;
  for (let pe = 0; pe < pes; pe++) {
    const end = firstRouted[pe + 1];
    let busy = 0;
    for (; pipe < end; pipe++) {
      if (headReady[pipe] > t || (ports[pipe] & busy) !== 0) continue;
      const from = firstTarget[pipe];
      const to = firstTarget[pipe + 1];
      let credit = true;
      for (let k = from; k < to; k++) credit &&= tailFree[target[k]] <= t;
      if (!credit) continue;
      busy |= ports[pipe];
      moves++;
      const entry = pipes.pop(pipe, t);
      const payload = pipes.payload[entry];
      const control = pipes.control[entry];
      for (let k = from; k < to; k++) {
        if (pushed[target[k]] === t) throw lawBroken(state, `two wavelets on one link in cycle ${t}`);
        pipes.push(target[k], t, t + delay[k], payload, control);
      }
    }
  }
  return moves;
}
