// How the activations of a graph lie on a group: strided everywhere but around attention, where they lie head by head.

import type { AttentionCase } from '../../kernels/attention/steps.ts';
import type { HeadsLayout, Layout } from '../../kernels/spmm/layout.ts';
import { besideOf } from '../graph/adapters.ts';
import { type Graph, type GraphNode, type Heads, type Operator, outputFeatures } from '../graph/graph.ts';
import type { Mapping } from './mapping.ts';

/** Rotary positions turn pairs of features, which then share a column. */
function turnsPairs(graph: Graph): boolean {
  const { operator } = graph.nodes[0];
  return operator.kind === 'embedding' && operator.positions === 'rotary';
}

function isGated(graph: Graph): boolean {
  return graph.nodes.some(({ operator }) => operator.kind === 'activation' && operator.activation === 'swiglu');
}

/** Layouts of the input and the output of a linear operator. */
export function linearLayouts(
  operator: Extract<Operator, { kind: 'linear' }>,
  graph: Graph,
): { readonly input: Layout; readonly output: Layout } {
  const { heads } = operator;
  const input: Layout = { kind: 'strided', features: operator.in };
  // Gate and up of a SwiGLU meet number by number.
  const parts = operator.weight === 'mlpIn' && isGated(graph) ? { parts: 2 } : {};
  const output: Layout = { kind: 'strided', features: operator.out, ...parts };
  if (heads === undefined) return { input, output };
  return operator.weight === 'qkv'
    ? { input, output: queriesKeysValues(heads, graph) }
    : { input: oneByHead(heads, graph), output };
}

function oneByHead({ heads, headDim }: Heads, graph: Graph): HeadsLayout {
  return { kind: 'heads', heads, headDim, pairs: turnsPairs(graph), parts: [heads] };
}

function queriesKeysValues(heads: Heads, graph: Graph): HeadsLayout {
  return { ...oneByHead(heads, graph), parts: [heads.heads, heads.kvHeads, heads.kvHeads] };
}

/** Layout of what a residual adds to: beside an adapter the output of its matrix, else the stream. */
export function residualLayout(node: GraphNode, width: number, graph: Graph): Layout {
  const beside = besideOf(node, graph);
  return beside === undefined ? { kind: 'strided', features: width } : linearLayouts(beside.operator, graph).output;
}

/** Layout of the output of any operator. */
export function outputLayout(operator: Operator, graph: Graph): Layout {
  if (operator.kind === 'linear') return linearLayouts(operator, graph).output;
  if (operator.kind === 'position') return queriesKeysValues(operator, graph);
  if (operator.kind === 'scores' || operator.kind === 'softmax' || operator.kind === 'values')
    return oneByHead(operator, graph);
  return { kind: 'strided', features: outputFeatures(operator) };
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
