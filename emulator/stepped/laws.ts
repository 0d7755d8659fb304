// The physical laws, asserted in every run: at most one wavelet a link and cycle, every wavelet that enters is taken,
// and the slots and stalls of each PE add up to the cycles. A broken law is a defect of program or engine (exit 5).

import { EmulateError, EXIT } from '../errors.ts';
import { CAUSE_COUNT } from '../program/causes.ts';
import type { State } from './load.ts';
import { HEAD_READY, NEVER } from './pipes.ts';

export function lawBroken({ program }: State, law: string): EmulateError {
  return new EmulateError(EXIT.lawBroken, `law broken in ${program.name}: ${law}; no result is reported`);
}

/** The laws that are seen at the end of a run of `cycles`. */
export function checkLaws(state: State, cycles: number): void {
  const { pipes, pes, cores } = state;
  for (const pipe of pipes.pipes)
    if (pipes.words[pipe + HEAD_READY] !== NEVER) throw lawBroken(state, 'wavelets in = out: one is left in a buffer');
  for (let pe = 0; pe < pes; pe++) {
    let sum = 0;
    for (let c = 0; c < CAUSE_COUNT; c++) sum += cores.where[pe * CAUSE_COUNT + c];
    if (sum !== cycles) throw lawBroken(state, `slots + stalls of PE ${pe} are ${sum}, cycles are ${cycles}`);
  }
}
