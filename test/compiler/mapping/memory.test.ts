// What a PE holds, in bytes: by hand for a small GPT, and as sums for others. Features that are turned are counted one by
// one from where they lie.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Graph, Operator } from '../../../compiler/graph/graph.ts';
import { attentionCase, outputLayout } from '../../../compiler/mapping/layouts.ts';
import { memoryDuring, memoryUse, rotaryFeatures } from '../../../compiler/mapping/memory.ts';
import type { MemoryChoice, MemoryUse } from '../../../compiler/mapping/memoryUse.ts';
import { placeOfHead } from '../../../kernels/attention/layout.ts';
import { layoutOf } from '../../../kernels/attention/steps.ts';
import { localFeatures, placesOf } from '../../../kernels/spmm/layout.ts';
import { gptJLike, gptLike, graphOf, llamaLike, waferOf } from '../../run/tiny.ts';

const machine = waferOf(13, 12);
const choice: MemoryChoice = {
  columns: 13,
  tokensPerPe: 5,
  accumulators: 3,
  accumulate: 'fp16',
  keyBlock: 4,
  causal: true,
  logitSlice: 52,
};

function during(id: string, graph: Graph, changed: Partial<MemoryChoice> = {}): MemoryUse {
  const node = graph.nodes.find((node) => node.id === id);
  if (node === undefined) throw new Error(id);
  return memoryDuring(node, graph, machine, { ...choice, ...changed });
}

function itemsOf({ items }: MemoryUse): Record<string, number> {
  return Object.fromEntries(items.map(({ what, bytes }) => [what, bytes]));
}

describe('a GPT of 24 features, 4 heads and 40 features in the MLP, on 13 columns, 5 tokens a PE', () => {
  const graph = graphOf(gptLike, 4, 13);
  // 2 features of 24 a column, 10 bytes each; 3 columns a head with 2 of its 6 features.
  const standing = { 'code and queues': 4096, 'residual stream': 20 };

  test('embedding: the residual stream alone', () => {
    expect(itemsOf(during('wte', graph))).toEqual(standing);
  });

  test('normalisation', () => {
    expect(itemsOf(during('ln_f', graph))).toEqual({
      ...standing,
      'normalised activations': 20,
      'sums of the normalisation': 2 * 4 * 5,
    });
  });

  test('matmuls: in, out, and K accumulators of 2 or 4 bytes', () => {
    expect(itemsOf(during('h.0.attn.c_attn', graph))).toEqual({ ...standing, input: 20, output: 60, accumulators: 30 });
    expect(itemsOf(during('h.0.attn.c_proj', graph))).toEqual({ ...standing, input: 20, output: 20, accumulators: 30 });
    expect(itemsOf(during('h.0.mlp.c_fc', graph))).toEqual({ ...standing, input: 20, output: 40, accumulators: 30 });
    expect(itemsOf(during('h.0.mlp.c_proj', graph, { accumulate: 'fp32' }))).toEqual({
      ...standing,
      input: 40,
      output: 20,
      accumulators: 60,
    });
  });

  test('attention: keys and values twice while they go round, a tile of 4 keys, statistics of 2 queries', () => {
    const items = {
      ...standing,
      queries: 20,
      'keys and values, one block here and one arriving': 80,
      'tile of scores': 2 * 4 * 5,
      output: 20,
      'running maxima and sums': 2 * 5 + 6 * 2,
    };
    for (const part of ['position', 'scores', 'softmax', 'values'])
      expect(itemsOf(during(`h.0.attn.${part}`, graph))).toEqual(items);
    expect(itemsOf(during('h.0.attn.scores', graphOf(gptLike, 4, 5)))).toMatchObject({
      'keys and values, one block here and one arriving': 40,
    });
  });

  test('MLP and residual', () => {
    expect(itemsOf(during('h.0.mlp.gelu', graph))).toEqual({ ...standing, activations: 40 });
    expect(itemsOf(during('h.0.mlp.residual', graph))).toEqual({ ...standing, 'what is added': 20 });
  });

  test('LM head: no residual stream any more, a slice of 4 logits', () => {
    expect(itemsOf(during('lm_head', graph))).toEqual({
      'code and queues': 4096,
      input: 20,
      'slice of logits': 40,
      accumulators: 30,
      'largest logits, their indices and sums': 2 * 6 * 5 + 4 * 5,
    });
  });
});

test('in a parallel block the normalised input waits for the MLP, and the two branches for each other', () => {
  const graph = graphOf(gptJLike, 4, 13);
  const waiting = (id: string): string[] =>
    Object.keys(itemsOf(during(id, graph))).filter((what) => / of the (MLP|attention)$/.test(what));
  expect(waiting('h.0.attn.c_attn')).toEqual([]);
  expect(waiting('h.0.attn.scores')).toEqual(['input of the MLP']);
  expect(waiting('h.0.mlp.c_fc')).toEqual(['output of the attention']);
  expect(waiting('h.0.attn.residual')).toEqual(['output of the MLP']);
  expect(waiting('h.0.mlp.residual')).toEqual([]);
});

test.each([
  ['GPT', gptLike],
  ['LLaMA', llamaLike],
  ['GPT-J', gptJLike],
])('items of %s add up, and the fullest operator is that of all layers', (_name, file) => {
  const graph = graphOf({ ...file, layers: 12 }, 4, 13);
  for (const columns of [1, 3, 8, 13]) {
    const all = graph.nodes.map((node) => memoryDuring(node, graph, machine, { ...choice, columns }));
    for (const { items, bytes } of all) expect(items.reduce((sum, item) => sum + item.bytes, 0)).toBe(bytes);
    const { operator, bytes } = memoryUse(graph, machine, { ...choice, columns });
    expect(bytes).toBe(Math.max(...all.map((use) => use.bytes)));
    expect(all.find((use) => use.operator === operator)?.bytes).toBe(bytes);
  }
});

test('the layout of every output has room for all of it', () => {
  for (const file of [gptLike, llamaLike, gptJLike])
    for (let columns = 1; columns <= 13; columns++) {
      const graph = graphOf(file, 4, 13);
      for (const { operator } of graph.nodes) {
        const layout = outputLayout(operator, graph);
        const held = Array.from({ length: columns }, () => 0);
        placesOf(layout, columns).forEach((feature, i) => {
          if (feature >= 0) held[i % columns]++;
        });
        expect(localFeatures(layout, columns)).toBeGreaterThanOrEqual(Math.max(...held));
        if (layout.kind === 'strided') expect(localFeatures(layout, columns)).toBe(Math.max(...held));
      }
    }
});

describe('features that rotary positions turn', () => {
  const drawn = fc.record({
    heads: fc.integer({ min: 1, max: 9 }),
    pairs: fc.integer({ min: 1, max: 8 }),
    turned: fc.integer({ min: 1, max: 8 }),
    columns: fc.integer({ min: 1, max: 40 }),
  });

  test('are those of one head on its first column', () => {
    fc.assert(
      fc.property(drawn, ({ heads, pairs, turned, columns }) => {
        const headDim = 2 * pairs;
        const rotaryDim = Math.min(2 * turned, headDim);
        const shape = { heads, width: heads * headDim, positions: 'rotary', rotaryDim };
        const graph = graphOf({ ...shape, layers: 1, vocabulary: 5, context: 9 }, 1, 9);
        const operator = graph.nodes.map((node) => node.operator).find(isPosition);
        if (operator === undefined) throw new Error('no positions');
        const use = { ...choice, columns };
        const layout = layoutOf(attentionCase(operator, graph, use));
        const held = new Map<number, number>();
        for (let feature = 0; feature < rotaryDim; feature++) {
          const { x } = placeOfHead(layout, 0, feature);
          held.set(x, (held.get(x) ?? 0) + 1);
        }
        expect(rotaryFeatures(operator, graph, use)).toBe(Math.max(...held.values()));
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

function isPosition(operator: Operator): operator is Extract<Operator, { kind: 'position' }> {
  return operator.kind === 'position';
}
