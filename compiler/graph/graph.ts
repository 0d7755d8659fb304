// A GPT as a dataflow graph. Grammar:
//
//   Graph    = { name, nodes: Node* }              nodes in an order that respects their inputs
//   Node     = { id, inputs: id*, operator }       id as in the checkpoint: h.3.mlp.c_fc
//   Operator = embedding | norm | linear | position | attention part | activation | residual | lmHead
//
// Every node has one output: `features` numbers for each token of the workload. Letters: d width, s sequence, V vocabulary.

import type { Recompute, SparseWeight } from '../model/spec.ts';
import type { Activation, Norm, Positions } from '../model/shape.ts';

export interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

export type Operator =
  /** Rows of the token table, and of the position table where positions are learned. */
  | { readonly kind: 'embedding'; readonly width: number; readonly vocabulary: number; readonly positions: Positions }
  | { readonly kind: 'norm'; readonly norm: Norm; readonly width: number; readonly bias: boolean }
  | {
      readonly kind: 'linear';
      readonly weight: SparseWeight | 'matmul';
      readonly in: number;
      readonly out: number;
      /** 0 where this matrix stays dense. */
      readonly sparsity: number;
      readonly seed: number;
      readonly bias: boolean;
      /** Set where the output (QKV) or the input (attention out) lies head by head. */
      readonly heads?: Heads;
    }
  /** Scale of the queries, and rotation of queries and keys where positions are rotary. */
  | ({ readonly kind: 'position'; readonly positions: Positions; readonly rotaryDim: number } & Heads)
  | ({ readonly kind: 'scores' } & Heads)
  | ({ readonly kind: 'softmax' } & Heads)
  | ({ readonly kind: 'values' } & Heads)
  | { readonly kind: 'activation'; readonly activation: Activation; readonly features: number }
  | { readonly kind: 'residual'; readonly width: number }
  | { readonly kind: 'lmHead'; readonly width: number; readonly vocabulary: number };

export type OperatorKind = Operator['kind'];

export interface GraphNode {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly operator: Operator;
}

export interface Graph {
  readonly name: string;
  readonly batch: number;
  readonly sequence: number;
  /** Attention and MLP of a layer read the same input. */
  readonly parallelBlocks: boolean;
  /** What a training step does beside the forward pass; null where there is only that. */
  readonly training: Training | null;
  readonly nodes: readonly GraphNode[];
}

export interface Training {
  readonly recompute: Recompute;
  /** All weights, or those of adapters alone; what is frozen still passes gradients on to what it read. */
  readonly weights: 'all' | 'adapters';
  /** Gradients also of the weights that are zero, which is how RigL finds those that should not be. */
  readonly denseGradients: boolean;
  /** Layers whose activations are kept, also where a graph has only the first of them. */
  readonly layers: number;
}

/** Layers are alike, so the first one stands for all. */
export function isOfFirst({ id }: GraphNode): boolean {
  return !/^h\.[1-9]/.test(id);
}

/** Numbers a token has at the output of an operator. */
export function outputFeatures(operator: Operator): number {
  switch (operator.kind) {
    case 'embedding':
    case 'norm':
    case 'residual':
      return operator.width;
    case 'linear':
      return operator.out;
    case 'position':
      return (operator.heads + 2 * operator.kvHeads) * operator.headDim;
    case 'scores':
    case 'softmax':
    case 'values':
      return operator.heads * operator.headDim;
    case 'activation':
      return operator.features;
    case 'lmHead':
      return operator.vocabulary;
  }
}

/** The same graph without zeros. */
export function withoutZeros(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.operator.kind === 'linear' ? { ...node, operator: { ...node.operator, sparsity: 0 } } : node,
  );
  return { ...graph, nodes };
}

/** Multiply-adds of one token, counting every weight (dense) and full, non-causal attention. */
export function denseMultiplyAdds(operator: Operator, sequence: number): number {
  if (operator.kind === 'linear') return operator.in * operator.out;
  if (operator.kind === 'lmHead') return operator.width * operator.vocabulary;
  if (operator.kind === 'scores' || operator.kind === 'values') return operator.heads * operator.headDim * sequence;
  return 0;
}

/** Those of the weights that are not zero, in expectation. */
export function keptMultiplyAdds(operator: Operator, sequence: number): number {
  const kept = operator.kind === 'linear' ? 1 - operator.sparsity : 1;
  return kept * denseMultiplyAdds(operator, sequence);
}
