// A whole model on a dense GPU: every node of the graph priced, zeros and all, since a GPU does not turn unstructured
// zeros into time. Steady state, 16-bit elements, one kernel after the other: causal FlashAttention for scores, softmax
// and values together, biases and the scale of queries inside the kernels beside them, all else a kernel of its own.

import { type Graph, type Heads, type Operator, outputFeatures } from '../../compiler/graph/graph.ts';
import type { GpuName } from '../../compiler/model/spec.ts';
import { GPUS, type Gpu } from './presets.ts';
import { steadySeconds } from './steady.ts';

/** An element. */
export const BYTES = 2;

/** Factors of measured step times over the sum of their kernels: generous to the GPU, and as measured with FSDP. */
export const KAPPAS = [1, 1.25] as const;

export interface GpuTime {
  readonly kappa: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

export interface GpuResult {
  readonly name: string;
  /** Sum of kernels (kappa 1). */
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly kappa: readonly GpuTime[];
  readonly operators: readonly { readonly name: string; readonly seconds: number }[];
  /** Nodes without a kernel of their own, and which kernel does their work. */
  readonly fused: readonly { readonly name: string; readonly within: string }[];
}

export function gpuResult(graph: Graph, name: GpuName): GpuResult {
  const gpu = GPUS[name];
  const priced = graph.nodes.map(({ id, operator }) => ({ name: id, price: forwardPrice(operator, graph, gpu) }));
  return resultOf(graph, name, priced);
}

/** What priced work adds up to. */
export function resultOf(
  graph: Graph,
  name: GpuName,
  priced: readonly { readonly name: string; readonly price: Price }[],
): GpuResult {
  const operators = priced.flatMap(({ name, price }) => (typeof price === 'number' ? [{ name, seconds: price }] : []));
  const fused = priced.flatMap(({ name, price }) =>
    typeof price === 'number' ? [] : [{ name, within: price.within }],
  );
  const kernels = operators.reduce((sum, { seconds }) => sum + seconds, 0);
  const at = (kappa: number): GpuTime => {
    const seconds = kappa * kernels;
    return { kappa, seconds, tokensPerSecond: (graph.batch * graph.sequence) / seconds };
  };
  const { seconds, tokensPerSecond } = at(1);
  return { name, seconds, tokensPerSecond, kappa: KAPPAS.map(at), operators, fused };
}

/** Seconds of a node's own kernel, or the kernel that does its work. */
export type Price = number | { readonly within: string };

export const IN_ATTENTION = { within: 'attention' } as const;

/** Of a forward pass, logits looked at for the largest. */
export function forwardPrice(operator: Operator, { batch, sequence }: Graph, gpu: Gpu): Price {
  const tokens = batch * sequence;
  switch (operator.kind) {
    case 'embedding':
      // Rows of the tables are read and their sum is written.
      return sweeps(gpu, operator.positions === 'learned' ? 3 : 2, tokens * operator.width);
    case 'norm':
      return steadySeconds.elementwise(gpu, 2 * BYTES * tokens * operator.width, 'norm');
    case 'linear':
      return steadySeconds.gemm(gpu, tokens, operator.out, operator.in);
    case 'position':
      // Rotary: queries and keys are read and written. Else only the scale is left.
      return operator.positions === 'rotary'
        ? sweeps(gpu, 2, tokens * (operator.heads + operator.kvHeads) * operator.headDim)
        : IN_ATTENTION;
    case 'scores':
      return attention(operator, batch, sequence, gpu);
    case 'softmax':
    case 'values':
      return IN_ATTENTION;
    case 'activation':
      return sweeps(gpu, operator.activation === 'swiglu' ? 3 : 2, tokens * operator.features);
    case 'residual':
      return sweeps(gpu, 3, tokens * outputFeatures(operator));
    case 'lmHead':
      // The product, and one pass over the logits for the largest.
      return (
        steadySeconds.lmHead(gpu, tokens, operator.vocabulary, operator.width) +
        sweeps(gpu, 1, tokens * operator.vocabulary)
      );
  }
}

function attention({ heads, kvHeads, headDim }: Heads, batch: number, sequence: number, gpu: Gpu): number {
  return steadySeconds.attention(gpu, { batch, sequence, heads, kvHeads, headDim });
}

/** `arrays` of so many elements, each read or written once. */
export function sweeps(gpu: Gpu, arrays: number, elements: number): number {
  return steadySeconds.elementwise(gpu, arrays * BYTES * elements);
}
