// What bounds an operator: of the causes of its PEs' cycles, the group with the most.

import type { Where } from '../emulator/program/causes.ts';
import type { Bound } from './result.ts';

/** Cycles by bound; waiting for another PE, in whatever way, is imbalance, and waiting for room is the fabric. */
export function boundGroups(where: Where): Record<Bound, number> {
  return {
    compute: where.compute,
    overhead: where.overhead,
    reduction: where.reduce,
    'weight stream': where.waitWeights,
    'load imbalance': where.waitThread + where.waitPartial + where.done,
    fabric: where.waitCredit,
  };
}

const BOUNDS: readonly Bound[] = ['compute', 'overhead', 'reduction', 'weight stream', 'load imbalance', 'fabric'];

export function boundOf(where: Where): Bound {
  const groups = boundGroups(where);
  return BOUNDS.reduce((most, bound) => (groups[bound] > groups[most] ? bound : most));
}
