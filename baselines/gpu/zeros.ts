// What unstructured zeros buy on a GPU: the forward pass priced as in model.ts, each sparse matrix by the fastest of dense,
// Flash-LLM and Sputnik (spmm.ts). Training gets no such price: the gradient by the weights becomes a sampled dense
// product, slower still, and below 95 % of zeros nothing should be claimed.

import type { Graph } from '../../compiler/graph/graph.ts';
import type { GpuName } from '../../compiler/model/spec.ts';
import { forwardPrice } from './model.ts';
import { GPUS } from './presets.ts';
import { bestSpmmSeconds } from './spmm.ts';

/** Seconds of the graph with its zeros, kernels summed (kappa 1); null for a training step. */
export function secondsWithZeros(graph: Graph, name: GpuName): number | null {
  if (graph.training !== null) return null;
  const gpu = GPUS[name];
  const tokens = graph.batch * graph.sequence;
  return graph.nodes.reduce((sum, { operator }) => {
    const price = forwardPrice(operator, graph, gpu);
    if (typeof price !== 'number') return sum;
    if (operator.kind !== 'linear' || operator.sparsity === 0) return sum + price;
    const { in: k, out: n, sparsity } = operator;
    return sum + Math.min(price, bestSpmmSeconds(gpu, { m: tokens, n, k, sparsity }));
  }, 0);
}
