// Is the compiled program what runs with values? A GPT whose zeros are those of the program's masks goes through the mesh
// kernel by kernel; its logits must be those of the plain reference with the same zeros, and its kernels and their cycles
// those of the program.

import { describe, expect, test } from 'vitest';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { forward, type Gpt, type Parameters } from '../../kernels/reference/gpt.ts';
import { type Mask, maskRow, maskSource } from '../../kernels/spmm/mask.ts';
import { type GptOnMesh, gptOnMesh } from '../../kernels/values/gptOnMesh.ts';
import type { MeshStep } from '../../kernels/values/meshRun.ts';
import { logitErrorVariance } from '../../kernels/values/roundings.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { uniform } from '../kernels/draw.ts';
import { randomGpt } from '../kernels/randomGpt.ts';
import { anyMapping, graphOf, waferOf } from './tiny.ts';

const SPARSITY = 0.75;
const SEQUENCES = 2;
const shape = { layers: 2, width: 64, heads: 4, ff: 256, vocabulary: 96, context: 32 };
const config = { n_layer: 2, n_head: 4, n_embd: 64, block_size: 32, vocab_size: 96 };

interface Case {
  readonly machine: Machine;
  /** Tokens of a sequence. */
  readonly length: number;
  readonly tokensPerPe: number;
  readonly instead?: Partial<Mapping>;
}

/** One group as wide as the fabric. */
function programOf({ machine, length, tokensPerPe, instead }: Case, seed: number): Program {
  const graph = graphOf({ ...shape, sparsity: { value: SPARSITY, seed } }, SEQUENCES, length);
  const choice = { columns: machine.fabric.width, tokensPerPe, accumulators: 4 };
  const fit = fitMapping(graph, machine, anyMapping, choice);
  if (isMisfit(fit)) throw new Error(fit.what);
  return lower(placeGraph(graph, machine, { ...fit, ...instead }));
}

function maskOf({ operators }: Program, name: string): Mask {
  const shape = operators.find((operator) => operator.name === name)?.steps[0].shape;
  if (shape?.kernel !== 'spmm') throw new Error(`${name} has no mask`);
  return shape.weights.mask;
}

/** The smallest normal fp16: what is kept is not zero. */
const LEAST = 2 ** -14;

/** Weights at the scale of what is kept, zero where the mask has no bit. */
function masked({ weight, bias }: Parameters, mask: Mask): Parameters {
  const source = maskSource(mask);
  const words = new Int32Array(source.wordsPerRow);
  const scale = 1 / Math.sqrt(1 - mask.sparsity);
  const kept = weight.map((value, i) => {
    const column = i % mask.width;
    if (column === 0) maskRow(source, i / mask.width, words);
    const bit = (words[column >> 5] >>> (column & 31)) & 1;
    return bit === 1 ? scale * value || LEAST : 0;
  });
  expect(weight).toHaveLength(mask.rows * mask.width);
  return { weight: kept, bias };
}

/** The model with the zeros of a program. */
function zeroed(gpt: Gpt, program: Program): Gpt {
  const h = gpt.h.map(({ ln_1, attn, ln_2, mlp }, l) => ({
    ln_1,
    attn: {
      c_attn: masked(attn.c_attn, maskOf(program, `h.${l}.attn.c_attn`)),
      c_proj: masked(attn.c_proj, maskOf(program, `h.${l}.attn.c_proj`)),
    },
    ln_2,
    mlp: {
      c_fc: masked(mlp.c_fc, maskOf(program, `h.${l}.mlp.c_fc`)),
      c_proj: masked(mlp.c_proj, maskOf(program, `h.${l}.mlp.c_proj`)),
    },
  }));
  return { ...gpt, h, lm_head: gpt.lm_head.map((value) => value || LEAST) };
}

const gpt = randomGpt(config, shape.ff, 0, 3);

function tokensOf(length: number): number[][] {
  const next = uniform(78);
  return Array.from({ length: SEQUENCES }, () => Array.from({ length }, () => Math.floor(next() * shape.vocabulary)));
}

function runWithValues(model: Gpt, idx: number[][], { mapping, machine }: Program): GptOnMesh {
  const { columns: cols, tokensPerPe: tokens, accumulators, keyBlock, logitSlice: slice } = mapping;
  return gptOnMesh(model, idx, { cols, tokens, accumulators, keyBlock, slice }, machine);
}

/** Operators in order, and the kernels of each with their cycles, whatever their order. */
type Kernels = readonly { readonly operator: string; readonly kernels: readonly string[] }[];

function grouped(steps: readonly { operator: string; kernel: string; cycles: number }[]): Kernels {
  const groups = new Map<string, string[]>();
  for (const { operator, kernel, cycles } of steps)
    groups.set(operator, [...(groups.get(operator) ?? []), `${kernel} ${cycles}`]);
  return Array.from(groups, ([operator, kernels]) => ({ operator, kernels: kernels.toSorted() }));
}

/** Kernels of a part of attention, which the run with values has tile by tile and the program operator by operator. */
const ATTENTION: Readonly<Record<string, string>> = {
  start: 'position',
  shift: 'scores',
  attentionScores: 'scores',
  attentionSoftmax: 'softmax',
  attentionGather: 'values',
  attentionValues: 'values',
  normalise: 'values',
};

function operatorOf({ name }: MeshStep): string {
  const [, block, part] = /^(h\.\d+\.attn)\.(\w+)$/.exec(name) ?? [];
  if (part in ATTENTION) return `${block}.${ATTENTION[part]}`;
  return name === 'wpe' ? 'wte' : name.replace(/\.(affine|bias|stats|merge)$/, '');
}

function kernelsOnMesh({ steps }: GptOnMesh): Kernels {
  return grouped(
    steps.map((step) => ({
      operator: operatorOf(step),
      kernel: step.kernel === 'layernorm' ? 'layerNorm' : step.kernel,
      cycles: step.cycles,
    })),
  );
}

/** Each step as often as it runs, its kernel's start left out; and the cycles of all, starts included. */
async function kernelsOfProgram(program: Program): Promise<{ kernels: Kernels; cycles: number }> {
  const { kernelStart } = program.machine.core;
  const { operators, cycles } = await runProgram(program, { timer: inProcessTimer() });
  const steps = operators.flatMap(({ name, steps }) =>
    steps.flatMap(({ kernel, repeat, cycles }) =>
      Array.from({ length: repeat }, () => ({ operator: name, kernel, cycles: cycles - kernelStart })),
    ),
  );
  return { kernels: grouped(steps), cycles };
}

function rms(values: ArrayLike<number>[]): number {
  const squares = values.flatMap((each) => Array.from(each, (value) => value ** 2));
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}

function errorOf({ logits }: GptOnMesh, model: Gpt, idx: number[][], columns: number): { rms: number; limit: number } {
  const exact = idx.map((each) => forward(model, each));
  const error = logits.map((each, s) => each.map((value, i) => value - exact[s][i]));
  const { layers, width, heads, ff } = shape;
  const length = idx[0].length;
  const variance = logitErrorVariance({ layers, width, heads, ff, sparsity: SPARSITY, length, columns });
  return { rms: rms(error), limit: Math.sqrt(variance) * rms(exact) };
}

/** A wavelet a cycle: all streams wait for the edge, sparse weights twice as long as dense ones. */
function slow(machine: Machine): Machine {
  return { ...machine, edge: { bitsPerSecond: 32 * machine.clockHz } };
}

describe.each<Case & { what: string }>([
  { what: '8 x 8 PEs', machine: waferOf(8, 8), length: 32, tokensPerPe: 8 },
  {
    what: '9 x 8 PEs, a column without a head, tiles and slices with a rest, a slow edge',
    machine: slow(waferOf(9, 8)),
    length: 32,
    tokensPerPe: 8,
    instead: { keyBlock: 3, logitSlice: 40, accumulators: 2 },
  },
  {
    what: '3 x 8 PEs, fewer columns than heads, padded sequences',
    machine: waferOf(3, 8),
    length: 30,
    tokensPerPe: 9,
    instead: { keyBlock: 5 },
  },
])('two layers at 75 % sparsity on $what', (each) => {
  const program = programOf(each, 1);
  const model = zeroed(gpt, program);
  const idx = tokensOf(each.length);
  const got = runWithValues(model, idx, program);
  const { columns } = program.mapping;

  test('the mapping has the whole batch on the mesh', () => {
    expect(program.mapping).toMatchObject({ groups: 1, rows: 8, rowsPerSequence: 4, passes: 1 });
  });

  test('logits are those of the reference with the same zeros, within the roundings of fp16', () => {
    const { rms, limit } = errorOf(got, model, idx, columns);
    expect(rms).toBeLessThan(limit);
    expect(limit).toBeLessThan(4 * rms);
  });

  test('kernels and their cycles are those of the program', async () => {
    const { kernels, cycles } = await kernelsOfProgram(program);
    expect(kernelsOnMesh(got)).toEqual(kernels);
    const { kernelStart } = program.machine.core;
    expect(got.steps.reduce((sum, step) => sum + kernelStart + step.cycles, 0)).toBe(cycles);
  });

  test('the zeros of another seed are found, by value and by cycles', async () => {
    const other = programOf(each, 10);
    const { kernels } = await kernelsOfProgram(other);
    const onMesh = kernelsOnMesh(got);
    const differing = kernels.filter((operator, i) => operator.kernels.join() !== onMesh[i].kernels.join());
    expect(differing).toHaveLength(8);
    for (const { operator } of differing) expect(operator).toMatch(/\.c_(attn|proj|fc)$/);
    const { rms, limit } = errorOf(got, zeroed(gpt, other), idx, columns);
    expect(rms).toBeGreaterThan(limit);
  });
});
