// How the activations of a graph lie on a group: strided everywhere but around attention, where they lie head by head.

import type { AttentionCase } from '../../kernels/attention/steps.ts';
import type { Layout } from '../../kernels/spmm/layout.ts';
import type { Graph, Heads, Operator } from '../graph/graph.ts';
import type { Mapping } from './mapping.ts';

/** Rotary positions turn pairs of features, which then share a column. */
function turnsPairs(graph: Graph): boolean {
  const { operator } = graph.nodes[0];
  return operator.kind === 'embedding' && operator.positions === 'rotary';
}

/** Layouts of the input and the output of a linear operator. */
export function linearLayouts(
  operator: Extract<Operator, { kind: 'linear' }>,
  graph: Graph,
): { readonly input: Layout; readonly output: Layout } {
  const { heads } = operator;
  const input: Layout = { kind: 'strided', features: operator.in };
  const output: Layout = { kind: 'strided', features: operator.out };
  if (heads === undefined) return { input, output };
  const byHead = { kind: 'heads', heads: heads.heads, headDim: heads.headDim, pairs: turnsPairs(graph) } as const;
  return operator.weight === 'qkv'
    ? { input, output: { ...byHead, parts: [heads.heads, heads.kvHeads, heads.kvHeads] } }
    : { input: { ...byHead, parts: [heads.heads] }, output };
}

/** The attention of a graph on a mapping, as its kernels take it. */
export function attentionCase(
  { heads, headDim }: Heads,
  graph: Graph,
  mapping: Pick<Mapping, 'columns' | 'tokensPerPe' | 'keyBlock' | 'causal' | 'accumulate'>,
): AttentionCase {
  return {
    heads,
    headDim,
    cols: mapping.columns,
    tokens: mapping.tokensPerPe,
    sequence: graph.sequence,
    keyBlock: mapping.keyBlock,
    causal: mapping.causal,
    accumulate: mapping.accumulate,
    pairs: turnsPairs(graph),
  };
}
