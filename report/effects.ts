// What each effect costs: the cycles of a run less those of its twin, over all operators and passes, and where most of it is.

import type { ChalkInstance } from 'chalk';
import { priceOf } from '../run/bound.ts';
import { type Effect, EFFECTS, type Twins } from '../run/result.ts';
import { OF_EFFECTS } from './levers.ts';
import { count, percent, shortName } from './numbers.ts';
import { type Column, plainTable } from './plainTable.ts';

export interface EffectCost {
  readonly effect: Effect;
  /** Of all passes; less than 0 where the effect saves cycles, null where no operator has it. */
  readonly cycles: number | null;
  /** Of the cycles of the run. */
  readonly share: number | null;
  /** Where it costs the most, the same place in all layers as one; null where it costs nothing. */
  readonly mostly: { readonly operator: string; readonly cycles: number } | null;
}

/** An operator, or those at the same place in all layers together. */
export interface Priced {
  readonly name: string;
  /** Of one pass. */
  readonly cycles: number;
  readonly twins: Twins;
}

export function effectCosts(places: readonly Priced[], passes: number): EffectCost[] {
  const all = places.reduce((sum, { cycles }) => sum + cycles, 0) * passes;
  return EFFECTS.map((effect) => {
    const costs = places.flatMap(({ name, cycles, twins }) => {
      const price = priceOf(effect, cycles, twins);
      return price === null ? [] : [{ operator: name, cycles: price * passes }];
    });
    if (costs.length === 0) return { effect, cycles: null, share: null, mostly: null };
    const cycles = costs.reduce((sum, one) => sum + one.cycles, 0);
    const mostly = costs.reduce((most, one) => (one.cycles > most.cycles ? one : most));
    return { effect, cycles, share: cycles / all, mostly: mostly.cycles > 0 ? mostly : null };
  });
}

/** Of operators at the same place. One without an effect, as a matmul without zeros, has as many cycles without it. */
export function sumOfTwins(a: Omit<Priced, 'name'>, b: Omit<Priced, 'name'>): Twins {
  const sum = (effect: Effect): number | null => {
    const [ofA, ofB] = [a.twins[effect], b.twins[effect]];
    return ofA === null && ofB === null ? null : (ofA ?? a.cycles) + (ofB ?? b.cycles);
  };
  const { slots: inA } = a.twins;
  const { slots: inB } = b.twins;
  return {
    balancedZeros: sum('balancedZeros'),
    unboundedAccumulators: sum('unboundedAccumulators'),
    noOverheads: a.twins.noOverheads + b.twins.noOverheads,
    freeIngress: sum('freeIngress'),
    noWaiting: a.twins.noWaiting + b.twins.noWaiting,
    slots: {
      compute: inA.compute + inB.compute,
      overhead: inA.overhead + inB.overhead,
      reduce: inA.reduce + inB.reduce,
    },
    accumulators: a.twins.accumulators === null ? null : Math.max(a.twins.accumulators, b.twins.accumulators ?? 0),
  };
}

const NAMES: Readonly<Record<Effect, string>> = {
  balancedZeros: 'uneven zeros',
  unboundedAccumulators: 'few accumulators',
  noOverheads: 'overheads',
  freeIngress: 'the edge',
  noWaiting: 'waiting, in all',
};

const COLUMNS: readonly Column[] = [
  { head: 'effect, alone', align: 'left' },
  { head: 'costs', align: 'right' },
  { head: 'share', align: 'right' },
  { head: 'most of it in', align: 'left' },
  { head: 'what would help', align: 'left' },
];

export function effectTable(costs: readonly EffectCost[], colours: ChalkInstance): string[] {
  const rows = costs.map(({ effect, cycles, share, mostly }) => [
    NAMES[effect],
    cycles === null ? '-' : count(cycles),
    share === null ? '-' : percent(share),
    mostly === null ? '-' : shortName(mostly.operator),
    mostly === null ? '-' : OF_EFFECTS[effect],
  ]);
  return plainTable(COLUMNS, rows, colours);
}
