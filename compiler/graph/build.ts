// A model as a graph: one node an operator, with the names of GPT-2's checkpoint.

import type { GptSpec, ModelSpec, SparseWeight } from '../model/spec.ts';
import type { Graph, GraphNode, Operator } from './graph.ts';
import { TRAINS_ALL } from './trained.ts';
import { verifyGraph } from './verify.ts';

export function buildGraph(spec: ModelSpec): Graph {
  const { name, workload } = spec;
  const nodes = spec.kind === 'gpt' ? gptNodes(spec) : [matmulNode(spec.shape, spec.sparsity)];
  const parallelBlocks = spec.kind === 'gpt' && spec.shape.parallelBlocks;
  const training =
    spec.kind === 'gpt' && workload.kind === 'train'
      ? { recompute: workload.recompute, ...TRAINS_ALL, layers: spec.shape.layers }
      : null;
  const graph = { name, batch: workload.batch, sequence: workload.sequence, parallelBlocks, training, nodes };
  verifyGraph(graph);
  return graph;
}

function matmulNode(shape: { in: number; out: number }, sparsity: { value: number; seed: number }): GraphNode {
  const { in: inputs, out } = shape;
  const { value, seed } = sparsity;
  return {
    id: 'matmul',
    inputs: [],
    operator: { kind: 'linear', weight: 'matmul', in: inputs, out, sparsity: value, seed, bias: false },
  };
}

function gptNodes({ shape, sparsity }: GptSpec): GraphNode[] {
  const { layers, width, heads, kvHeads, headDim, ff, vocabulary, positions, rotaryDim, norm, activation, bias } =
    shape;
  const nodes: GraphNode[] = [];
  const add = (id: string, inputs: string[], operator: Operator): string => {
    nodes.push({ id, inputs, operator });
    return id;
  };
  const linear = (weight: SparseWeight, inputs: number, out: number, hasBias: boolean): Operator => ({
    kind: 'linear',
    weight,
    in: inputs,
    out,
    sparsity: sparsity.weights.includes(weight) ? sparsity.value : 0,
    seed: sparsity.seed,
    bias: hasBias,
    ...(weight === 'qkv' || weight === 'attentionOut' ? { heads: { heads, kvHeads, headDim } } : {}),
  });
  const normOf: Operator = { kind: 'norm', norm, width, bias: norm === 'layernorm' };
  const gated = activation === 'swiglu';

  let residual = add('wte', [], { kind: 'embedding', width, vocabulary, positions });
  for (let l = 0; l < layers; l++) {
    const at = `h.${l}`;
    const attentionIn = add(`${at}.ln_1`, [residual], normOf);
    const qkv = add(
      `${at}.attn.c_attn`,
      [attentionIn],
      linear('qkv', width, (heads + 2 * kvHeads) * headDim, bias.attention),
    );
    const placed = add(`${at}.attn.position`, [qkv], {
      kind: 'position',
      positions,
      rotaryDim,
      heads,
      kvHeads,
      headDim,
    });
    const scores = add(`${at}.attn.scores`, [placed], { kind: 'scores', heads, kvHeads, headDim });
    const softmax = add(`${at}.attn.softmax`, [scores], { kind: 'softmax', heads, kvHeads, headDim });
    const values = add(`${at}.attn.values`, [softmax, placed], { kind: 'values', heads, kvHeads, headDim });
    const attention = add(
      `${at}.attn.c_proj`,
      [values],
      linear('attentionOut', heads * headDim, width, bias.attention),
    );
    let mlpIn = attentionIn;
    if (!shape.parallelBlocks) {
      residual = add(`${at}.attn.residual`, [residual, attention], { kind: 'residual', width });
      mlpIn = add(`${at}.ln_2`, [residual], normOf);
    }
    const fc = add(`${at}.mlp.c_fc`, [mlpIn], linear('mlpIn', width, gated ? 2 * ff : ff, bias.mlp));
    const act = add(`${at}.mlp.${activation}`, [fc], { kind: 'activation', activation, features: ff });
    const mlp = add(`${at}.mlp.c_proj`, [act], linear('mlpOut', ff, width, bias.mlp));
    if (shape.parallelBlocks) residual = add(`${at}.attn.residual`, [residual, attention], { kind: 'residual', width });
    residual = add(`${at}.mlp.residual`, [residual, mlp], { kind: 'residual', width });
  }
  const last = add('ln_f', [residual], normOf);
  add('lm_head', [last], { kind: 'lmHead', width, vocabulary });
  return nodes;
}
