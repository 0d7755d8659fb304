// What would help an operator, by what bounds it, and against an effect. The levers of a matmul and of a gradient by weights are
// those of its mapping; other kernels have only those of the machine.

import type { OperatorKind } from '../compiler/graph/graph.ts';
import { priceOf } from '../run/bound.ts';
import type { Bound, Effect, Twins } from '../run/result.ts';

const OF_MATMULS: Readonly<Record<Bound, string>> = {
  compute: 'more zeros, wider SIMD',
  overhead: 'more tokens a PE (T)',
  reduction: 'fewer columns (C)',
  'weight stream': 'fewer columns, wider edge',
  'load imbalance': 'more accumulators (K)',
  fabric: 'deeper queues',
};

/** Their sums leave after every chunk: all of them for each pass, whatever the columns. */
const OF_WEIGHT_GRADIENTS: Readonly<Record<Bound, string>> = {
  compute: 'more zeros, wider SIMD',
  overhead: 'more tokens a PE (T)',
  reduction: 'fewer columns (C)',
  'weight stream': 'wider edge, fewer passes',
  'load imbalance': 'larger chunks (sums)',
  fabric: 'larger chunks (sums)',
};

const OF_OTHERS: Readonly<Record<Bound, string>> = {
  compute: 'wider SIMD',
  overhead: 'fewer, larger kernels',
  reduction: 'fewer columns (C)',
  'weight stream': 'wider edge',
  'load imbalance': 'fewer rows and columns',
  fabric: 'deeper queues',
};

export const OF_EFFECTS: Readonly<Record<Effect, string>> = {
  balancedZeros: 'fewer columns (C), more accumulators (K)',
  unboundedAccumulators: 'more accumulators (K), fewer columns (C)',
  noOverheads: 'more tokens a PE (T); fewer, larger kernels',
  freeIngress: 'fewer columns (C), wider edge',
  noWaiting: 'as above; fewer rows and columns',
};

/** What is helped: an operator of the graph, or the gradient by its weights. */
export type Helped = OperatorKind | 'weightGradient';

/** By the names that a training step gives (compiler/lower/backward.ts); that of the LM head is most of its way back. */
export function helpedOf({ name, kind }: { readonly name: string; readonly kind: OperatorKind }): Helped {
  const isOfHead = kind === 'lmHead' && name.endsWith('.backward');
  return isOfHead || name.endsWith('.wgrad') ? 'weightGradient' : kind;
}

export function leverOf(bound: Bound, kind: Helped): string {
  // Vectors of a softmax are as long as a column's share of the queries, often shorter than the SIMD.
  if (kind === 'softmax' && bound === 'compute') return 'fewer columns, more T';
  // Its overhead are the wavelets that a PE takes and discards, fewer of them the fewer features a column has.
  if (kind === 'embedding' && bound === 'overhead') return 'more columns (C)';
  if (kind === 'weightGradient') return OF_WEIGHT_GRADIENTS[bound];
  // The LM head is dense: more zeros are not to be had.
  if (kind === 'linear' || (kind === 'lmHead' && bound !== 'compute')) return OF_MATMULS[bound];
  return OF_OTHERS[bound];
}

/** From this share of the imbalance on, accumulators that run ahead of it are worth more than evener columns. */
const ACCUMULATORS_HELP = 0.5;

/** The same where prices are known, which tell more than what bounds it. */
export function leverAtPrices(bound: Bound, kind: Helped, cycles: number, twins: Twins): string {
  if (kind === 'weightGradient')
    // Gradients that are there early even out what a column has more of.
    return bound === 'load imbalance' ? 'more gradient buffers' : leverOf(bound, kind);
  // What neither the stream nor uneven work explains are ways.
  if (bound === 'fabric') return 'fewer rows and columns';
  if (bound !== 'load imbalance') return leverOf(bound, kind);
  const uneven = priceOf('balancedZeros', cycles, twins) ?? 0;
  const few = priceOf('unboundedAccumulators', cycles, twins) ?? 0;
  return few >= ACCUMULATORS_HELP * uneven ? 'more accumulators (K)' : 'fewer columns (C)';
}
