// LoRA (Hu et al. 2021): beside a frozen matrix W two small dense ones are trained, y = x W + (x A) B with A of `rank` outputs.
// In the graph three nodes come behind the matrix, and what read it reads the last of them:
//
//   c_attn.lora_A : rank = linear(input of c_attn)
//   c_attn.lora_B : out  = linear(lora_A)
//   c_attn.lora   : out  = residual(c_attn, lora_B)
//
// The scale alpha / rank is taken to lie in B.

import type { SparseWeight } from '../model/spec.ts';
import type { Graph, GraphNode, Operator } from './graph.ts';
import { verifyGraph } from './verify.ts';

export interface Lora {
  /** Features between the two matrices. */
  readonly rank: number;
  /** The matrices of a layer that have adapters. */
  readonly targets: readonly SparseWeight[];
}

type Linear = Extract<Operator, { kind: 'linear' }>;

/** The same graph with adapters beside all matrices that are targets. */
export function withAdapters(graph: Graph, { rank, targets }: Lora): Graph {
  const isGated = graph.nodes.some(
    ({ operator }) => operator.kind === 'activation' && operator.activation === 'swiglu',
  );
  const renamed = new Map<string, string>();
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    const read = { ...node, inputs: node.inputs.map((input) => renamed.get(input) ?? input) };
    const { id, operator } = read;
    if (operator.kind !== 'linear' || !targets.some((target) => target === operator.weight)) return [read];
    renamed.set(id, `${id}.lora`);
    return [read, ...adapterNodes(read, operator, rank, isGated)];
  });
  const adapted = { ...graph, nodes };
  verifyGraph(adapted);
  return adapted;
}

function adapterNodes({ id, inputs }: GraphNode, of: Linear, rank: number, isGated: boolean): GraphNode[] {
  const { in: width, out, heads, weight } = of;
  const dense = { kind: 'linear', sparsity: 0, seed: of.seed, bias: false } as const;
  const byHead = heads === undefined ? {} : { heads };
  // Where the outputs of a matrix lie in two parts (gate and up), those of A are still one.
  const inward = weight === 'mlpIn' && isGated ? 'mlpOut' : weight;
  const down: Linear = { ...dense, weight: inward, in: width, out: rank, ...(weight === 'attentionOut' ? byHead : {}) };
  const up: Linear = { ...dense, weight, in: rank, out, ...(weight === 'qkv' ? byHead : {}) };
  return [
    { id: `${id}.lora_A`, inputs, operator: down },
    { id: `${id}.lora_B`, inputs: [`${id}.lora_A`], operator: up },
    { id: `${id}.lora`, inputs: [id, `${id}.lora_B`], operator: { kind: 'residual', width: out } },
  ];
}

/** The matrix that a node of an adapter stands beside, A, B or their sum; undefined for all other nodes. */
export function besideOf(
  { id }: Pick<GraphNode, 'id'>,
  { nodes }: Graph,
): (GraphNode & { operator: Linear }) | undefined {
  const [, matrix] = /^(.*)\.lora(?:_[AB])?$/.exec(id) ?? [];
  const node = nodes.find((one) => one.id === matrix);
  return node?.operator.kind === 'linear' ? { ...node, operator: node.operator } : undefined;
}

/** Whether a node is one of the small matrices. */
export function isAdapter({ id }: Pick<GraphNode, 'id'>): boolean {
  return id.endsWith('.lora_A') || id.endsWith('.lora_B');
}
