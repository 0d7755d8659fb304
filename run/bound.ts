// What bounds an operator. With its twins: the dearest of what its cycles are made of, which are the slots of the PE that
// issues the most and the prices of effects. Without them: of the causes of its PEs' cycles, the group with the most.

import type { Where } from '../emulator/program/causes.ts';
import type { Bound, Effect, Twins } from './result.ts';

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
  return dearest(boundGroups(where));
}

/** Of equal ones the first. */
function dearest(costs: Readonly<Record<Bound, number>>): Bound {
  return BOUNDS.reduce((most, bound) => (costs[bound] > costs[most] ? bound : most));
}

/** Cycles that an effect costs, less than 0 where it saves some; null where there is no such effect. */
export function priceOf(effect: Effect, cycles: number, twins: Twins): number | null {
  const without = twins[effect];
  return without === null ? null : cycles - without;
}

/**
 * What each bound costs of the cycles of an operator. Load imbalance is the dearer of uneven zeros and of too few
 * accumulators to even them out: neither twin has what the other leaves. Overhead has slots that no twin is without:
 * those of wavelets that a PE takes and discards. The fabric is what remains of the waiting: ways from PE to PE and from
 * row to row, and PEs that wait for work unlike their own.
 */
export function boundCosts(cycles: number, twins: Twins): Record<Bound, number> {
  const price = (effect: Effect): number => priceOf(effect, cycles, twins) ?? 0;
  const stream = price('freeIngress');
  const imbalance = Math.max(price('balancedZeros'), price('unboundedAccumulators'));
  return {
    compute: twins.slots.compute,
    overhead: Math.max(price('noOverheads'), twins.slots.overhead),
    reduction: twins.slots.reduce,
    'weight stream': stream,
    'load imbalance': imbalance,
    fabric: price('noWaiting') - Math.max(0, stream) - Math.max(0, imbalance),
  };
}

export function boundByTwins(cycles: number, twins: Twins): { readonly bound: Bound; readonly costs: number } {
  const costs = boundCosts(cycles, twins);
  const bound = dearest(costs);
  return { bound, costs: costs[bound] };
}
