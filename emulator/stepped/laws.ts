// The laws at the end of a run of the stepped engine or by time stamps (../laws.ts says which there are); those that are
// seen within a cycle are asserted where they could be broken (routers.ts, cores.ts).

import { assertCauses, type Law, type Lawful, lawBroken as broken, type LawError } from '../laws.ts';
import { assertConserved, assertEmpty, finished } from './conservation.ts';
import type { State } from './load.ts';
import { placeName, type Topology } from './topology.ts';

export function lawBroken({ program }: State, law: Law, text: string): LawError {
  return broken(program.name, law, text);
}

/** What an engine has counted of a program that ran to its end; `entered` wavelets of each stream have come in. */
export interface ProgramCounts {
  readonly cycles: number;
  readonly where: Int32Array;
}

export function assertLaws<Counts extends ProgramCounts>(
  topology: Topology,
  entered: ArrayLike<number>,
  counts: Counts,
): asserts counts is Lawful<Counts> {
  const { program } = topology;
  program.streams.forEach(({ x, y, color, control }, i) => {
    if (entered[i] === control.length) return;
    const missing = control.length - entered[i];
    throw broken(
      program.name,
      'wavelets',
      `wavelets in = out: ${missing} of the stream at (${x},${y}) never enter (color ${color})`,
    );
  });
  assertConserved(topology, entered, finished);
  assertEmpty(topology);
  assertCauses(program.name, counts, (pe) => placeName(program, pe));
}
