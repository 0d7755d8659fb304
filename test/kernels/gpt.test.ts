// A whole GPT by the kernels, with values, against the plain reference.
//
// How far apart may they be? The reference rounds to fp32, the mesh to fp16 after every operation. A rounding to fp16 is
// off by at most 2^-11 of the power of two below the value, uniformly: with mantissas spread logarithmically, a variance
// of ROUNDING relative to the value squared. `expectedVariance` adds the roundings of every operator as independent,
// relative to the mean square of what the operator computes.

import { describe, expect, test } from 'vitest';
import type { Machine } from '../../emulator/machine/spec.ts';
import { forward, type Gpt, type GptConfig } from '../../kernels/reference/gpt.ts';
import { logitSummary } from '../../kernels/reference/logits.ts';
import { type GptMapping, type GptOnMesh, gptOnMesh } from '../../kernels/values/gptOnMesh.ts';
import { uniform } from './draw.ts';
import { machine, smallestQueues } from './latencies.ts';
import { randomGpt } from './randomGpt.ts';

/** 2^-22 / 3, times the mean of 1 / v^2 over mantissas v spread logarithmically in [1, 2). */
const ROUNDING = ((2 ** -22 / 3) * 0.375) / Math.LN2;

/** Roundings of a dot product of n terms over C columns: the products, the sums in a column, and those round the ring. */
function dotRoundings(n: number, C: number): number {
  return 1 + n / C / 2 + C / 2;
}

/** Relative variance of the logits' error, in roundings. Residual and branch are taken to be equally large. */
function expectedVariance(
  { n_layer, n_embd, n_head }: GptConfig,
  length: number,
  hidden: number,
  sparsity: number,
  C: number,
): number {
  const dot = (inputs: number): number => dotRoundings((1 - sparsity) * inputs, C) + 1;
  const norm = 5;
  let x = 1;
  const add = (branch: number): void => {
    x = (x + branch) / 2 + 1;
  };
  for (let l = 0; l < n_layer; l++) {
    const qkv = x + norm + dot(n_embd);
    // Scores near 1: their error is a share of every weight of the mean. Queries and keys bring theirs, then come the
    // products, the scale, the difference and the exponential; each key rounds the output twice, half of them at work.
    const scores = 2 * qkv + dotRoundings(n_embd / n_head, Math.max(1, Math.floor(C / n_head))) + 3;
    add(qkv + scores + length + dot(n_embd));
    add(x + norm + dot(n_embd) + 1 + dot(hidden));
  }
  return x + norm + dotRoundings(n_embd, C);
}

interface Difference {
  /** Root mean square and largest difference, and what they may be. */
  readonly rms: number;
  readonly largest: number;
  readonly rmsLimit: number;
  readonly largestLimit: number;
}

/** Of so many normal errors the largest is below 5.5 standard deviations, but for one time in a thousand. */
const LARGEST = 5.5;

function differenceOf(got: GptOnMesh, exact: Float32Array[], variance: number): Difference {
  const squares = { error: 0, value: 0, count: 0 };
  let largest = 0;
  exact.forEach((logits, s) => {
    logits.forEach((value, i) => {
      const error = Math.abs(got.logits[s][i] - value);
      largest = Math.max(largest, error);
      squares.error += error ** 2;
      squares.value += value ** 2;
      squares.count++;
    });
  });
  const rmsLimit = Math.sqrt((variance * ROUNDING * squares.value) / squares.count);
  return { rms: Math.sqrt(squares.error / squares.count), largest, rmsLimit, largestLimit: LARGEST * rmsLimit };
}

function tokens(sequences: number, length: number, vocabulary: number): number[][] {
  const next = uniform(77);
  return Array.from({ length: sequences }, () => Array.from({ length }, () => Math.floor(next() * vocabulary)));
}

const SPARSITY = 0.5;
const HIDDEN = 256;
const config: GptConfig = { n_layer: 2, n_head: 4, n_embd: 64, block_size: 32, vocab_size: 96 };
const gpt = randomGpt(config, HIDDEN, SPARSITY, 1);
const mapping: GptMapping = { cols: 8, tokens: 8, accumulators: 4, keyBlock: 4, slice: 40 };

describe('two layers, two sequences of 32 tokens, on 8 x 8 PEs', () => {
  const idx = tokens(2, 32, config.vocab_size);
  const exact = idx.map((each) => forward(gpt, each));
  const variance = expectedVariance(config, 32, HIDDEN, SPARSITY, mapping.cols);
  const got = gptOnMesh(gpt, idx, mapping, machine);

  test('logits are those of the reference within the roundings of fp16', () => {
    const { rms, largest, rmsLimit, largestLimit } = differenceOf(got, exact, variance);
    expect(rms).toBeLessThan(rmsLimit);
    expect(largest).toBeLessThan(largestLimit);
  });

  test('the limit is no wider than four times what is found', () => {
    const { rms, rmsLimit } = differenceOf(got, exact, variance);
    expect(rmsLimit).toBeLessThan(4 * rms);
  });

  test('statistics are those of the logits', () => {
    got.statistics.forEach((sequence, s) => {
      sequence.forEach((statistics, t) => {
        const own = logitSummary(got.logits[s].subarray(t * config.vocab_size, (t + 1) * config.vocab_size));
        expect(statistics.max).toBe(own.max);
        expect(statistics.index).toBe(own.index);
        // 96 exponentials and at most three rescales, each rounded in its difference and in itself.
        expect(Math.abs(statistics.sum / own.sum - 1)).toBeLessThan(2 ** -11 * 8 * 4);
      });
    });
  });

  test('every step takes its time', () => {
    expect(got.steps.every(({ cycles }) => cycles > 0)).toBe(true);
  });

  test.each(['c_attn', 'attn.c_proj', 'c_fc', 'mlp.c_proj'] as const)(
    'one weight of %s with the wrong sign is found',
    (name) => {
      const wrong = gptOnMesh(flipped(name), idx.slice(0, 1), mapping, machine);
      const { rms, largest, rmsLimit, largestLimit } = differenceOf(wrong, exact.slice(0, 1), variance);
      expect(rms).toBeGreaterThan(rmsLimit);
      expect(largest).toBeGreaterThan(largestLimit);
    },
  );
});

type Matrix = 'c_attn' | 'attn.c_proj' | 'c_fc' | 'mlp.c_proj';

/** The model with the sign of one weight of its first layer turned: the largest (of the values, in c_attn). */
function flipped(name: Matrix): Gpt {
  const [first, ...rest] = gpt.h;
  const { attn, mlp } = first;
  const from = 2 * config.n_embd * config.n_embd;
  const h = {
    c_attn: { ...first, attn: { ...attn, c_attn: { ...attn.c_attn, weight: turned(attn.c_attn.weight, from) } } },
    'attn.c_proj': { ...first, attn: { ...attn, c_proj: { ...attn.c_proj, weight: turned(attn.c_proj.weight, 0) } } },
    c_fc: { ...first, mlp: { ...mlp, c_fc: { ...mlp.c_fc, weight: turned(mlp.c_fc.weight, 0) } } },
    'mlp.c_proj': { ...first, mlp: { ...mlp, c_proj: { ...mlp.c_proj, weight: turned(mlp.c_proj.weight, 0) } } },
  }[name];
  return { ...gpt, h: [h, ...rest] };
}

function turned(weight: Float32Array, from: number): Float32Array {
  const turned = weight.slice();
  let largest = from;
  for (let i = from; i < weight.length; i++) if (Math.abs(weight[i]) > Math.abs(weight[largest])) largest = i;
  turned[largest] = -turned[largest];
  return turned;
}

const small: Machine = {
  ...machine,
  fabric: { ...machine.fabric, routerBuffer: smallestQueues.routerBuffer },
  core: { ...machine.core, inputQueue: smallestQueues.inputQueue, outputQueue: smallestQueues.outputQueue },
};

describe('one layer of 20 features, sequences of 13 tokens, smallest queues', () => {
  const config: GptConfig = { n_layer: 1, n_head: 4, n_embd: 20, block_size: 13, vocab_size: 31 };
  const idx = tokens(2, 13, config.vocab_size);
  test.each<GptMapping>([
    { cols: 1, tokens: 13, accumulators: 1, keyBlock: 13, slice: 31 },
    { cols: 3, tokens: 5, accumulators: 2, keyBlock: 2, slice: 10 },
    { cols: 9, tokens: 3, accumulators: 3, keyBlock: 2, slice: 31 },
    { cols: 25, tokens: 2, accumulators: 2, keyBlock: 1, slice: 7 },
  ])('lie on $cols columns, $tokens tokens a PE', (mapping) => {
    const gpt = randomGpt(config, 33, SPARSITY, 2);
    const exact = idx.map((each) => forward(gpt, each));
    const variance = expectedVariance(config, 13, 33, SPARSITY, mapping.cols);
    const { rms, largest, rmsLimit, largestLimit } = differenceOf(gptOnMesh(gpt, idx, mapping, small), exact, variance);
    expect(rms).toBeLessThan(rmsLimit);
    expect(largest).toBeLessThan(largestLimit);
  });
});
