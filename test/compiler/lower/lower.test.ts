// Placements and programs as text, and what must hold for every lowering.

import { describe, expect, test } from 'vitest';
import { lower } from '../../../compiler/lower/lower.ts';
import { placeGraph, printPlacement } from '../../../compiler/lower/placement.ts';
import { type MatmulStep, printProgram, type Program } from '../../../compiler/lower/program.ts';
import { elementwiseSlots } from '../../../kernels/elementwise.ts';
import { placesOf } from '../../../kernels/spmm/layout.ts';
import { gptJLike, gptLike, graphOf, llamaLike, waferOf } from '../../run/tiny.ts';
import { refusal } from '../model/written.ts';
import { tinyPlacement, tinyProgram } from './tinyProgram.ts';

test.each([
  ['gpt', gptLike],
  ['llama', llamaLike],
  ['gpt-j', gptJLike],
  ['matmul', { kind: 'matmul', in: 30, out: 41, sparsity: 0.7 }],
])('%s as text', async (name, file) => {
  const placement = tinyPlacement({ ...file, name });
  await expect(printPlacement(placement)).toMatchFileSnapshot(`golden/${name}.placement.txt`);
  await expect(printProgram(lower(placement))).toMatchFileSnapshot(`golden/${name}.program.txt`);
});

/** Matmuls by operator. */
function matmuls({ operators }: Program): [string, MatmulStep][] {
  return operators.flatMap(({ name, steps }) =>
    steps.flatMap(({ shape }): [string, MatmulStep][] => (shape.kernel === 'spmm' ? [[name, shape]] : [])),
  );
}

/** Name and seed of each mask of a layer, its sparsity, rows and width. */
function layer(l: number): unknown[] {
  return [
    [`h.${l}.attn.c_attn`, `h.${l}.attn.c_attn`, 7, 0.6, 72, 24],
    [`h.${l}.attn.c_proj`, 'dense', 0, 0, 24, 24],
    [`h.${l}.mlp.c_fc`, 'dense', 0, 0, 40, 24],
    [`h.${l}.mlp.c_proj`, `h.${l}.mlp.c_proj`, 7, 0.6, 24, 40],
  ];
}

describe('masks', () => {
  test('have the name of their operator and the seed of the model; those of dense matrices are all alike', () => {
    const sparsity = { value: 0.6, seed: 7, weights: ['qkv', 'mlpOut'] };
    const found = matmuls(tinyProgram({ ...gptLike, layers: 2, sparsity })).map(([name, { weights }]) => {
      const { mask } = weights;
      return [name, mask.name, 'seed' in mask && mask.seed, mask.sparsity, mask.rows, mask.width];
    });
    expect(found).toEqual([
      ...layer(0),
      ...layer(1),
      ['lm_head', 'dense', 0, 0, 20, 24],
      ['lm_head', 'dense', 0, 0, 10, 24],
    ]);
  });

  test('dense weights pass the edge two a wavelet', () => {
    const { machine, ...rest } = tinyPlacement({ ...gptLike, sparsity: { value: 0.6, weights: ['qkv'] } });
    const slow = { ...machine, edge: { bitsPerSecond: 3 * 32 * machine.clockHz } };
    const gaps = matmuls(lower({ ...rest, machine: slow })).map(([, { gap }]) => gap);
    expect(gaps).toEqual([[10, 3], ...Array.from({ length: 5 }, () => [10, 6])]);
  });
});

test('tokens of all groups share the edge; positions are the same for all', () => {
  const { graph, machine, mapping } = tinyPlacement(gptLike);
  const slow = { ...machine, edge: { bitsPerSecond: 3 * 32 * machine.clockHz } };
  const two = { ...mapping, columns: 5, groups: 2, rows: 3 };
  const [wte] = lower(placeGraph(graph, slow, two)).operators;
  expect(wte.steps.map(({ shape }) => shape)).toMatchObject([{ gap: [10, 3] }, { gap: [5, 3] }]);
});

test.each([1, 7, 20, 49, 50, 51, 200])('slices of %i logits make up the vocabulary', (logitSlice) => {
  const placement = tinyPlacement(gptLike);
  const { operators } = lower({ ...placement, mapping: { ...placement.mapping, logitSlice } });
  const head = operators[operators.length - 1].steps;
  let features = 0;
  for (const { shape, repeat } of head) if (shape.kernel === 'spmm') features += repeat * shape.weights.mask.rows;
  expect(features).toBe(50);
  const [stats, products] = (['logitStats', 'spmm'] as const).map((kernel) =>
    head.reduce((sum, { shape, repeat }) => sum + (shape.kernel === kernel ? repeat : 0), 0),
  );
  expect(stats).toBe(products);
});

test.each([
  [gptJLike, 12],
  [gptJLike, 3],
  [{ ...gptJLike, heads: 2 }, 13],
  [llamaLike, 13],
  [llamaLike, 1],
])('rotary positions turn the queries and keys of the fullest column: %o on %i columns', (file, columns) => {
  const { graph, machine, mapping } = tinyPlacement(file);
  const program = lower(placeGraph(graph, machine, { ...mapping, columns, groups: 1 }));
  const [, { weights }] = matmuls(program)[0];
  const { output } = weights;
  if (output.kind !== 'heads') throw new Error('not by head');
  const rotaryDim = 'rotaryDim' in file ? file.rotaryDim : output.headDim;
  const valuesFrom = weights.mask.rows - output.parts[2] * output.headDim;
  const turned = Array.from({ length: columns }, () => 0);
  placesOf(output, columns).forEach((feature, i) => {
    if (feature >= 0 && feature < valuesFrom && feature % output.headDim < rotaryDim) turned[i % columns]++;
  });
  const position = program.operators.find(({ kind }) => kind === 'position');
  expect(position?.steps[0].shape).toMatchObject({
    kernel: 'local',
    slots: elementwiseSlots('rotary', Math.max(...turned), mapping.tokensPerPe, machine),
  });
});

test('positions without a kernel are refused, not priced at zero', () => {
  const message = refusal(() => tinyProgram({ ...gptLike, positions: 'alibi' }));
  expect(message).toBe(
    'positions "alibi" have no kernel in this version, got "alibi", allowed "learned", "rotary" or "none"',
  );
});

describe('a placement that cannot be is a defect of the compiler', () => {
  const { graph, machine, mapping } = tinyPlacement(gptLike);
  test.each([
    ['leaves the fabric', { ...mapping, groups: 2 }],
    ['leaves the fabric', { ...mapping, rows: 13 }],
    ['has too few token slots', { ...mapping, rows: 3 }],
    ['bytes a PE', { ...mapping, logitSlice: 100_000 }],
  ])('%s', (what, faulty) => {
    expect(() => placeGraph(graph, machine, faulty)).toThrow(what);
  });

  test('every PE of the fabric may be used', () => {
    expect(() => placeGraph(graph, waferOf(10, 6), mapping)).not.toThrow();
    expect(() => placeGraph(graph, waferOf(10, 5), mapping)).toThrow('leaves the fabric');
    expect(() => placeGraph(graphOf(gptLike, 2, 19), machine, mapping)).toThrow('too few token slots');
  });
});
