// Sizes of the gradients by weights: how many sums of products a PE has room for, which decides how many output features make
// a chunk, and for how many gradients on their way round the ring.

import { localFeatures } from '../../kernels/spmm/layout.ts';
import type { PlacedWeights } from '../../kernels/spmm/placed.ts';
import type { Graph } from '../graph/graph.ts';
import { linearLayouts } from './layouts.ts';
import type { GradientSizes } from './mapping.ts';

/** Each chunk has its starts and its way down the rows: beyond so many sums little is saved. */
const MOST_SUMS = 16_384;
const BUFFERS = [8, 4, 2] as const;

/** From the largest to the smallest, in which a chunk is one output feature; none where no gradients are taken. */
export function gradientChoices(graph: Graph, columns: number): GradientSizes[] {
  if (graph.training === null) return [];
  let least = 1;
  for (const { operator } of graph.nodes) {
    if (operator.kind === 'linear')
      least = Math.max(least, localFeatures(linearLayouts(operator, graph).input, columns));
    if (operator.kind === 'lmHead') least = Math.max(least, Math.ceil(operator.width / columns));
  }
  const choices: GradientSizes[] = [];
  for (let sums = Math.max(MOST_SUMS, least); sums >= least; sums = sums > least ? Math.max(least, sums >> 1) : 0)
    for (const buffers of BUFFERS) choices.push({ buffers, sums });
  return choices;
}

/** Standard deviations by which the fullest column of a chunk may exceed what is expected; more is refused when it runs. */
const DEVIATIONS = 7;

/** Output features of a chunk: as many as the sums of their non-zeros have room. */
export function chunkFeatures({ mask, input }: PlacedWeights, columns: number, sums: number): number {
  const density = 1 - mask.sparsity;
  const expected = localFeatures(input, columns) * density;
  const variance = expected * (1 - density);
  // expected x + DEVIATIONS sqrt(variance x) = sums, solved for sqrt(x).
  if (expected === 0) return mask.rows;
  const half = (DEVIATIONS * Math.sqrt(variance)) / (2 * expected);
  const root = Math.sqrt(half * half + sums / expected) - half;
  return Math.max(1, Math.floor(root * root));
}
