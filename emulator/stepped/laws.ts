// The physical laws, asserted in every run: at most one wavelet a link and cycle, every wavelet that enters is taken,
// and the slots and stalls of each PE add up to the cycles. A broken law is a defect of program or engine (exit 5).

import { EmulateError, EXIT } from '../errors.ts';
import { CAUSE_COUNT } from '../program/causes.ts';
import { HEAD_READY, NEVER } from './layout.ts';
import type { State } from './load.ts';

export function lawBroken({ program }: State, law: string): EmulateError {
  return new EmulateError(EXIT.lawBroken, `law broken in ${program.name}: ${law}; no result is reported`);
}

/** The laws that are seen at the end of a run of `cycles`; `entered` wavelets of each stream have come in. */
export function checkLaws(state: State, entered: Int32Array, cycles: number): void {
  const { pes, cores, program } = state;
  program.streams.forEach(({ x, y, control }, i) => {
    if (entered[i] < control.length)
      throw lawBroken(
        state,
        `wavelets in = out: ${control.length - entered[i]} of the stream at (${x},${y}) never enter`,
      );
  });
  if (hasWavelets(state)) throw lawBroken(state, 'wavelets in = out: one is left in a buffer');
  for (let pe = 0; pe < pes; pe++) {
    let sum = 0;
    for (let c = 0; c < CAUSE_COUNT; c++) {
      const count = cores.where[pe * CAUSE_COUNT + c];
      if (count < 0) throw lawBroken(state, `PE ${pe} has ${count} cycles of a cause`);
      sum += count;
    }
    if (sum !== cycles) throw lawBroken(state, `slots + stalls of PE ${pe} are ${sum}, cycles are ${cycles}`);
  }
}

/** Is a wavelet left in a buffer? */
export function hasWavelets({ pipes }: State): boolean {
  return pipes.pipes.some((pipe) => pipes.words[pipe + HEAD_READY] !== NEVER);
}
