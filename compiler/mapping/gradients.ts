// Sizes of the gradients by weights: how many gradients of output features a PE has room for on their way round the ring, and
// for how many sums of products, which decides how many output features make a chunk.

import { localFeatures } from '../../kernels/spmm/layout.ts';
import type { PlacedWeights } from '../../kernels/spmm/placed.ts';
import type { Graph } from '../graph/graph.ts';
import { isTrained } from '../graph/trained.ts';
import { linearLayouts } from './layouts.ts';
import type { GradientSizes } from './mapping.ts';
import { FP32 } from './memoryUse.ts';

/** What is fixed of them; what is left out is chosen. */
export type GradientsAsked = { readonly [Size in keyof GradientSizes]?: number | undefined };

/** Each chunk has its starts and its way down the rows: beyond so many sums little is saved. */
const MOST_SUMS = 16_384;

/** Each saves something over the next; beyond eight the sums whose place they take are worth more (docs/training.md). */
const BUFFERS = [8, 4, 2] as const;
/** So much of the sums that the fewest buffers leave room for, more buffers must leave. */
const SUMS_LEFT = 0.75;

/** The smallest: a chunk is one output feature, none of whose weights is zero. Undefined where no gradients are taken. */
export function leastGradients(graph: Graph, columns: number, asked: GradientsAsked): GradientSizes | undefined {
  if (graph.training === null) return undefined;
  let sums = 1;
  for (const node of graph.nodes) {
    const { operator } = node;
    if (!isTrained(node, graph.training)) continue;
    if (operator.kind === 'linear') sums = Math.max(sums, localFeatures(linearLayouts(operator, graph).input, columns));
    if (operator.kind === 'lmHead') sums = Math.max(sums, Math.ceil(operator.width / columns));
  }
  return { buffers: asked.buffers ?? BUFFERS[BUFFERS.length - 1], sums: asked.sums ?? sums };
}

/** As many sums as there is room for, and the most buffers that leave nearly as many; `room` is the bytes beside `of`. */
export function largestGradients(
  least: GradientSizes,
  asked: GradientsAsked,
  room: (of: GradientSizes) => number,
): GradientSizes {
  const sumsBeside = (buffers: number): number => {
    const more = Math.floor(room({ ...least, buffers }) / FP32);
    const most = asked.sums ?? Math.max(MOST_SUMS, least.sums);
    return Math.min(most, least.sums + more);
  };
  const enough = Math.max(least.sums, SUMS_LEFT * sumsBeside(least.buffers));
  const buffers = asked.buffers ?? BUFFERS.find((count) => sumsBeside(count) >= enough) ?? least.buffers;
  return { buffers, sums: Math.max(least.sums, sumsBeside(buffers)) };
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
