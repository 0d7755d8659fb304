// What a training step keeps, in bytes, by hand for a small GPT: 24 features, 4 heads, 40 features in the MLP, on 13 columns,
// 5 tokens a PE; a vector of a feature takes 10 bytes.

import { describe, expect, test } from 'vitest';
import { fitMapping, isMisfit } from '../../../compiler/mapping/fit.ts';
import { chunkFeatures, largestGradients, leastGradients } from '../../../compiler/mapping/gradients.ts';
import { memoryParts } from '../../../compiler/mapping/memory.ts';
import type { MemoryChoice, MemoryUse } from '../../../compiler/mapping/memoryUse.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import type { Recompute } from '../../../compiler/model/spec.ts';
import { countCells } from '../../../kernels/spmm/counts.ts';
import type { Layout } from '../../../kernels/spmm/layout.ts';
import { anyMapping, gptLike, graphOf, waferOf } from '../../run/tiny.ts';

const machine = waferOf(13, 12);
const choice: MemoryChoice = {
  columns: 13,
  tokensPerPe: 5,
  accumulators: 3,
  accumulate: 'fp16',
  keyBlock: 4,
  causal: true,
  logitSlice: 52,
  gradients: { buffers: 2, sums: 100 },
};

function trained(recompute: Recompute, layers = 3): Graph {
  return graphOf({ ...gptLike, layers }, 4, 13, { kind: 'train', recompute });
}

function partsOf(graph: Graph, id: string): Record<string, Record<string, number>> {
  const node = graph.nodes.find((one) => one.id === id);
  if (node === undefined) throw new Error(id);
  return Object.fromEntries(memoryParts(node, graph, machine, choice).map((use) => [use.operator, itemsOf(use)]));
}

function itemsOf({ items }: MemoryUse): Record<string, number> {
  return Object.fromEntries(items.map(({ what, bytes }) => [what, bytes]));
}

/** Two norms of 2 features and a number for each token; 3 x 2 features of a head; 2 of its output; 4 of the MLP. */
const kept = {
  'normalised activations': 2 * (20 + 4 * 5),
  'queries, keys and values': 60,
  'output of the attention': 20,
  'inputs of the activation': 40,
};

function strided(features: number): Layout {
  return { kind: 'strided', features };
}

describe('what is kept', () => {
  test('with recompute "layer": the input of each layer, and all of the one that is run again', () => {
    const { 'h.0.mlp.c_fc.recompute': again } = partsOf(trained('layer'), 'h.0.mlp.c_fc');
    expect(again).toMatchObject({ 'kept of 3 layers: input': 3 * 20, input: 20, accumulators: 30 });
    for (const [what, bytes] of Object.entries(kept)) expect(again[`of the layer run again: ${what}`]).toBe(bytes);
    // It is one of those that are kept.
    expect(again.output).toBeUndefined();
  });

  test('with recompute "none": all of all layers', () => {
    const parts = partsOf(trained('none'), 'h.0.mlp.c_fc');
    expect(Object.keys(parts)).toEqual(['h.0.mlp.c_fc', 'h.0.mlp.c_fc.dgrad', 'h.0.mlp.c_fc.wgrad']);
    for (const items of Object.values(parts))
      for (const [what, bytes] of Object.entries(kept)) expect(items[`kept of 3 layers: ${what}`]).toBe(3 * bytes);
  });

  test('a graph of the first layer alone keeps as much', () => {
    const graph = trained('none');
    const thin = { ...graph, nodes: graph.nodes.filter(({ id }) => !/^h\.[12]/.test(id)) };
    expect(partsOf(thin, 'ln_f')).toEqual(partsOf(graph, 'ln_f'));
  });
});

test('gradients of a matmul: both operands, and accumulators, or gradients on their way and fp32 sums', () => {
  const parts = partsOf(trained('layer'), 'h.0.mlp.c_proj');
  expect(parts['h.0.mlp.c_proj.dgrad']).toMatchObject({
    'gradient by the output': 20,
    'gradient by the input': 40,
    accumulators: 30,
  });
  expect(parts['h.0.mlp.c_proj.wgrad']).toMatchObject({
    'gradient by the output': 20,
    input: 40,
    'gradients that went round': 2 * 10,
    'sums of products': 4 * 100,
  });
});

test('more micro-batches where a batch does not fit at once, more of them where all is kept', () => {
  const small = { ...machine, memory: { ...machine.memory, sramBytes: machine.memory.reservedBytes + 700 } };
  const passes = (recompute: Recompute, layers: number): number => {
    let fewest = Infinity;
    for (let tokensPerPe = 1; tokensPerPe <= 13; tokensPerPe++) {
      const choiceOf = { columns: 13, tokensPerPe, accumulators: 1 };
      const fit = fitMapping(trained(recompute, layers), small, anyMapping, choiceOf);
      if (!isMisfit(fit)) fewest = Math.min(fewest, fit.passes);
    }
    return fewest;
  };
  expect(passes('none', 3)).toBeGreaterThan(passes('layer', 3));
  expect(passes('layer', 12)).toBeGreaterThan(passes('layer', 1));
  expect(passes('none', 60)).toBe(Infinity);
});

describe('chunks of output features', () => {
  test('the smallest is one feature, none of whose weights is zero', () => {
    // 40 features of the MLP on 13 columns.
    expect(leastGradients(trained('layer'), 13, {})).toEqual({ buffers: 2, sums: 4 });
    expect(leastGradients(graphOf(gptLike, 4, 13), 13, {})).toBeUndefined();
  });

  test('as many sums as there is room for, and more gradients on their way where that leaves nearly as many', () => {
    const least = { buffers: 2, sums: 4 };
    // A buffer takes as much as 10 sums.
    const room =
      (bytes: number) =>
      ({ buffers, sums }: typeof least): number =>
        bytes - 40 * buffers - 4 * sums;
    expect(largestGradients(least, {}, room(4000))).toEqual({ buffers: 8, sums: 920 });
    expect(largestGradients(least, {}, room(1000))).toEqual({ buffers: 4, sums: 210 });
    expect(largestGradients(least, {}, room(200))).toEqual({ buffers: 2, sums: 30 });
    expect(largestGradients(least, {}, room(100_000))).toEqual({ buffers: 8, sums: 16_384 });
    expect(largestGradients(least, { sums: 50 }, room(1000))).toEqual({ buffers: 8, sums: 50 });
    expect(largestGradients(least, { sums: 50 }, room(400))).toEqual({ buffers: 4, sums: 50 });
    expect(largestGradients({ ...least, buffers: 3 }, { buffers: 3 }, room(1000))).toEqual({ buffers: 3, sums: 220 });
  });

  test('fill the SRAM during the fullest of their operators, to the last sum', () => {
    const graph = trained('layer');
    const small = { ...machine, memory: { ...machine.memory, sramBytes: machine.memory.reservedBytes + 900 } };
    const fit = fitMapping(graph, small, anyMapping, { columns: 13, tokensPerPe: 5, accumulators: 1 });
    if (isMisfit(fit)) throw new Error(fit.what);
    const fullest = (of: MemoryChoice): number =>
      graph.nodes
        .flatMap((node) => memoryParts(node, graph, small, of))
        .filter(({ operator }) => operator.endsWith('.wgrad'))
        .reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const { gradients = { buffers: 0, sums: 0 } } = fit;
    expect(gradients.sums).toBeGreaterThan(4);
    expect(fullest(fit)).toBeLessThanOrEqual(small.memory.sramBytes);
    const more = { ...gradients, sums: gradients.sums + 1 };
    expect(fullest({ ...fit, gradients: more })).toBeGreaterThan(small.memory.sramBytes);
  });

  test('what is asked for is taken, and refused where it has no room', () => {
    const asked = { ...anyMapping, gradients: { buffers: 3, sums: 100 } };
    const choiceOf = { columns: 13, tokensPerPe: 5, accumulators: 1 };
    expect(fitMapping(trained('layer'), machine, asked, choiceOf)).toMatchObject({ gradients: asked.gradients });
    const tooMany = { ...anyMapping, gradients: { sums: 12_000 } };
    const misfit = fitMapping(trained('layer'), machine, tooMany, choiceOf);
    expect(misfit).toMatchObject({ what: expect.stringContaining('.wgrad'), unit: 'bytes' });
    expect(isMisfit(misfit) && misfit.levers).toContain('fewer gradients');
  });

  test.each([0, 0.5, 0.75, 0.95])('their sums have room at %d zeros', (sparsity) => {
    for (const columns of [7, 16]) {
      const mask = { name: 'w', seed: 5, sparsity, rows: 4000, width: 300 };
      const weights = { mask, input: strided(300), output: strided(4000) };
      const cells = countCells(weights, columns);
      for (const sums of [100, 1000]) {
        const features = chunkFeatures(weights, columns, sums);
        let most = 0;
        for (let from = 0; from < 4000; from += features) {
          const held = new Int32Array(columns);
          const until = Math.min(4000, from + features) * columns;
          for (let cell = from * columns; cell < until; cell++) held[cell % columns] += cells[cell];
          most = Math.max(most, ...held);
        }
        expect(most).toBeLessThanOrEqual(sums);
        // Dense ones are known beforehand.
        if (sparsity === 0) expect(most).toBeGreaterThan(sums - Math.ceil(300 / columns));
      }
    }
  });
});
