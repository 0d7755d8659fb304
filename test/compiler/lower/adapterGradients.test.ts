// A step that trains adapters alone: what is frozen passes gradients on and takes none itself.

import { describe, expect, test } from 'vitest';
import { withAdapters } from '../../../compiler/graph/adapters.ts';
import type { Graph, Training } from '../../../compiler/graph/graph.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import { placeGraph } from '../../../compiler/lower/placement.ts';
import type { Program, StepShape } from '../../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../../compiler/mapping/fit.ts';
import { memoryParts } from '../../../compiler/mapping/memory.ts';
import { sparseWeights } from '../../../compiler/model/spec.ts';
import { anyMapping, gptLike, graphOf, llamaLike, waferOf } from '../../run/tiny.ts';

const machine = waferOf(13, 12);
const COLUMNS = 12;
const TOKENS = 5;

function trained(model: Readonly<Record<string, unknown>>, weights: Training['weights']): Graph {
  const graph = withAdapters(graphOf(model, 2, 10, { kind: 'train' }), { rank: 3, targets: sparseWeights });
  if (graph.training === null) throw new Error('not a training step');
  return { ...graph, training: { ...graph.training, weights } };
}

function programOf(graph: Graph): Program {
  const choice = { columns: COLUMNS, tokensPerPe: TOKENS, accumulators: 2 };
  const fit = fitMapping(graph, machine, anyMapping, choice);
  if (isMisfit(fit)) throw new Error(fit.what);
  return lower(placeGraph(graph, machine, fit));
}

function shapesOf({ operators }: Program, name: string): StepShape[] {
  return operators.filter((operator) => operator.name === name).flatMap(({ steps }) => steps.map(({ shape }) => shape));
}

function kernelsOf(program: Program, name: string): string[] {
  return shapesOf(program, name).map(({ kernel }) => kernel);
}

/** Operators whose sums over the tokens leave. */
function leaving({ operators }: Program): string[] {
  return operators
    .filter(({ steps }) => steps.some(({ shape }) => shape.kernel === 'columnReduce'))
    .map(({ name }) => name);
}

/** So many features, two slots for the five tokens of each. */
function slots(features: number): StepShape[] {
  return [{ kernel: 'local', rows: 1, cols: 1, slots: 2 * features }];
}

const program = programOf(trained(gptLike, 'adapters'));
const whole = programOf(trained(gptLike, 'all'));

test('only adapters have gradients by weights, and nothing sums those of a bias or a gain', () => {
  const matrices = ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'];
  const small = matrices.flatMap((name) => [`h.0.${name}.lora_A.wgrad`, `h.0.${name}.lora_B.wgrad`]);
  const wgrads = program.operators.map(({ name }) => name).filter((name) => name.endsWith('.wgrad'));
  expect(wgrads.toSorted()).toEqual(small.toSorted());
  expect(leaving(program)).toEqual([]);
  expect(leaving(whole)).toContain('h.0.ln_1.backward');
  expect(leaving(whole)).toContain('h.0.mlp.c_fc.wgrad');
  expect(program.operators.map(({ name }) => name)).not.toContain('wte.backward');
});

test('gradients go down through what is frozen: the same products with the transposed matrices', () => {
  for (const name of ['h.0.attn.c_attn.dgrad', 'h.0.mlp.c_proj.dgrad', 'h.0.mlp.c_fc.lora_B.dgrad'])
    expect(shapesOf(program, name)).toEqual(shapesOf(whole, name));
  expect(kernelsOf(program, 'h.0.ln_1.backward')).toEqual(['affine', 'layerNormBackward']);
  // Logits again, their gradients, and those by the input.
  const ofHead = kernelsOf(whole, 'lm_head.backward').filter((kernel) => kernel !== 'weightGradient');
  expect(kernelsOf(program, 'lm_head.backward')).toEqual(ofHead);
});

test('normalised inputs are made again for what is trained', () => {
  expect(kernelsOf(program, 'h.0.attn.c_attn.lora_A.wgrad')).toEqual(['affine', 'weightGradient']);
  expect(kernelsOf(program, 'h.0.mlp.c_proj.lora_A.wgrad')).toEqual(['local', 'weightGradient']);
  expect(kernelsOf(program, 'h.0.attn.c_attn.lora_B.wgrad')).toEqual(['weightGradient']);
});

test('an adapter adds as many outputs as its matrix has, and back as many gradients as it has inputs', () => {
  const [ofQkv, ofMlpOut] = ['h.0.attn.c_attn.lora', 'h.0.mlp.c_proj.lora'];
  // Heads of six features on three columns each, queries, keys and values; 24 of the MLP's outputs on 12 columns.
  expect(shapesOf(program, ofQkv)).toEqual(slots(6));
  expect(shapesOf(program, `${ofQkv}.backward`)).toEqual(slots(2));
  expect(shapesOf(program, ofMlpOut)).toEqual(slots(2));
  expect(shapesOf(program, `${ofMlpOut}.backward`)).toEqual(slots(4));
});

describe('memory', () => {
  const choice = { ...program.mapping, gradients: { buffers: 2, sums: 40 } };
  const itemsOf = (id: string, part: string, graph = trained(gptLike, 'adapters')): Record<string, number> => {
    const node = graph.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(id);
    const use = memoryParts(node, graph, machine, choice).find(({ operator }) => operator === `${id}.${part}`);
    return Object.fromEntries(use?.items.map(({ what, bytes }) => [what, bytes]) ?? []);
  };
  // Of one feature.
  const vector = 2 * TOKENS;

  test('has no room for gradients of what is frozen', () => {
    expect(itemsOf('h.0.mlp.c_fc', 'wgrad')).toEqual({});
    expect(itemsOf('lm_head', 'wgrad')).toEqual({});
    expect(itemsOf('h.0.mlp.c_fc', 'wgrad', trained(gptLike, 'all'))).toHaveProperty('sums of products', 160);
    expect(itemsOf('h.0.mlp.c_fc.lora_A', 'wgrad')).toHaveProperty('sums of products', 160);
  });

  test('what lies between the two matrices is kept, a feature of each of the four', () => {
    const kept = 'of the layer run again: between the matrices of adapters';
    expect(itemsOf('h.0.ln_1', 'backward')).toHaveProperty(kept, 4 * vector);
  });

  test('outputs and gradients wait for the adapter', () => {
    const output = 'output of the matrix beside it';
    expect(itemsOf('h.0.attn.c_proj.lora_A', 'recompute')).toHaveProperty(output, 2 * vector);
    // It is one of those that are kept; with that of B there are two.
    expect(itemsOf('h.0.attn.c_attn.lora_A', 'recompute')).not.toHaveProperty(output);
    expect(itemsOf('h.0.attn.c_attn.lora_B', 'recompute')).toHaveProperty(output, 6 * vector);
    const wide = 'gradient by the output of the matrix beside it';
    expect(itemsOf('h.0.mlp.c_fc.lora_A', 'dgrad')).toHaveProperty(wide, 4 * vector);
    expect(itemsOf('h.0.mlp.c_proj', 'dgrad')).toHaveProperty('gradient by the input of its adapter', 4 * vector);
  });
});

test('of gate and up in two parts as well', () => {
  const gated = programOf(trained(llamaLike, 'adapters'));
  // 33 of each on 12 columns.
  expect(shapesOf(gated, 'h.0.mlp.c_fc.lora')).toEqual(slots(2 * 3));
});
