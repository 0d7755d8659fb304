// What would help an operator, by what bounds it. The levers of a matmul are those of its mapping; other kernels have only
// those of the machine.

import type { OperatorKind } from '../compiler/graph/graph.ts';
import type { Bound } from '../run/result.ts';

const OF_MATMULS: Readonly<Record<Bound, string>> = {
  compute: 'more zeros, wider SIMD',
  overhead: 'more tokens a PE (T)',
  reduction: 'fewer columns (C)',
  'weight stream': 'fewer columns, wider edge',
  'load imbalance': 'more accumulators (K)',
  fabric: 'deeper queues',
};

const OF_OTHERS: Readonly<Record<Bound, string>> = {
  compute: 'wider SIMD',
  overhead: 'fewer, larger kernels',
  reduction: 'fewer columns (C)',
  'weight stream': 'wider edge',
  'load imbalance': 'fewer rows and columns',
  fabric: 'deeper queues',
};

export function leverOf(bound: Bound, kind: OperatorKind): string {
  // Vectors of a softmax are as long as a column's share of the queries, often shorter than the SIMD.
  if (kind === 'softmax' && bound === 'compute') return 'fewer columns, more tokens';
  // The LM head is dense: more zeros are not to be had.
  if (kind === 'linear' || (kind === 'lmHead' && bound !== 'compute')) return OF_MATMULS[bound];
  return OF_OTHERS[bound];
}
