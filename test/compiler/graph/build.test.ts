// Graphs of the three kinds of GPT as text, and their multiply-adds against the usual formulas.

import { describe, expect, test } from 'vitest';
import { denseMultiplyAdds, type Graph, keptMultiplyAdds } from '../../../compiler/graph/graph.ts';
import { printGraph } from '../../../compiler/graph/print.ts';
import { gptJLike, gptLike, graphOf, llamaLike } from '../../run/tiny.ts';

test.each([
  ['gpt', { ...gptLike, layers: 2 }],
  ['llama', llamaLike],
  ['gpt-j', { ...gptJLike, sparsity: { value: 0.6, seed: 7, weights: ['mlpIn', 'mlpOut'] } }],
  ['matmul', { kind: 'matmul', in: 30, out: 41, sparsity: 0.7 }],
])('%s as text', async (name, file) => {
  await expect(printGraph(graphOf({ ...file, name }, 2, 16))).toMatchFileSnapshot(`golden/${name}.txt`);
});

function sum(graph: Graph, of: typeof denseMultiplyAdds): number {
  return graph.nodes.reduce((total, { operator }) => total + of(operator, graph.sequence), 0);
}

describe('multiply-adds of a token', () => {
  const [L, d, s, V] = [3, 24, 16, 50];
  const shape = { layers: L, width: d, heads: 4, vocabulary: V, context: s };

  test('of a GPT: 12 L d^2 weights, the head, and attention over all positions', () => {
    const graph = graphOf({ ...shape, sparsity: 0.75 }, 1, s);
    expect(sum(graph, denseMultiplyAdds)).toBe(12 * L * d * d + V * d + 2 * L * s * d);
    expect(sum(graph, keptMultiplyAdds)).toBe(0.25 * 12 * L * d * d + V * d + 2 * L * s * d);
  });

  test('of a LLaMA: three matrices in the MLP, and fewer keys and values', () => {
    const ff = 33;
    const graph = graphOf({ ...shape, activation: 'swiglu', kvHeads: 2, ff }, 1, s);
    expect(sum(graph, denseMultiplyAdds)).toBe(L * (3 * d * d + 3 * d * ff) + V * d + 2 * L * s * d);
  });

  test('only the chosen matrices are sparse', () => {
    const graph = graphOf({ ...shape, sparsity: { value: 0.5, weights: ['qkv'] } }, 1, s);
    expect(sum(graph, denseMultiplyAdds) - sum(graph, keptMultiplyAdds)).toBe(L * 0.5 * 3 * d * d);
  });
});
