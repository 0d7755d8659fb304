// The gradient of attention: all of its kernels together against the plain reference, and the slots of each.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Latencies, latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { attentionBackwardSram, attentionBackwardSteps } from '../../kernels/attention/backwardSteps.ts';
import { placeOfHead } from '../../kernels/attention/layout.ts';
import { type AttentionCase, layoutOf, rowsPerSequence } from '../../kernels/attention/steps.ts';
import { type KernelShape, timingProgram } from '../../kernels/index.ts';
import { attention as attentionReference } from '../../kernels/reference/attention.ts';
import { attentionBackward } from '../../kernels/reference/attentionBackward.ts';
import { attentionBackwardOnMesh, attentionBackwardWords } from '../../kernels/values/attentionBackwardOnMesh.ts';
import { attentionOnMesh, attentionWords } from '../../kernels/values/attentionOnMesh.ts';
import { layWords, MeshRun } from '../../kernels/values/meshRun.ts';
import { ROUNDING } from '../../kernels/values/roundings.ts';
import { drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

function machineWith({ rampLatency, routerBuffer, creditLatency, ...core }: Latencies): Machine {
  const fabric = { ...machine.fabric, rampLatency, routerBuffer, creditLatency };
  return { ...machine, fabric, core: { ...machine.core, ...core } };
}

interface Drawn {
  readonly attention: AttentionCase;
  readonly sequences: number;
  readonly seed: number;
  readonly latencies: Latencies;
}

const whole: fc.Arbitrary<Drawn> = fc
  .record({
    heads: fc.integer({ min: 1, max: 4 }),
    headDim: fc.integer({ min: 1, max: 9 }),
    cols: fc.integer({ min: 1, max: 9 }),
    tokens: fc.integer({ min: 1, max: 7 }),
    rows: fc.integer({ min: 1, max: 4 }),
    keyBlock: fc.integer({ min: 1, max: 7 }),
    causal: fc.boolean(),
    accumulate: fc.constantFrom('fp16' as const, 'fp32' as const),
    sequences: fc.integer({ min: 1, max: 2 }),
    seed: fc.integer({ min: 1, max: 999 }),
    latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
  })
  .map(({ rows, sequences, seed, latencies, ...rest }) => ({
    attention: { ...rest, sequence: rows * rest.tokens },
    sequences,
    seed,
    latencies,
  }));

interface Whole {
  readonly mesh: MeshRun;
  /** Steps of the gradient, after those of forward. */
  readonly firstStep: number;
  /** By sequence: queries, keys, values and the gradient by the output; then the gradients by the first three. */
  readonly inputs: readonly Float32Array[][];
  readonly gradients: readonly Float32Array[][];
}

/** Forward and backward on random numbers [sequence][head][feature]. */
function runWhole({ attention, sequences, seed, latencies }: Drawn): Whole {
  const { heads, headDim, cols, sequence } = attention;
  const ring = rowsPerSequence(attention);
  const { at, words } = layWords(attentionBackwardWords(attention));
  const mesh = new MeshRun(machineWith(latencies), sequences * ring, cols, words);
  const size = sequence * heads * headDim;
  const layout = layoutOf(attention);
  const vector = attentionWords(attention).queries;
  const wordOf = (s: number, i: number, start: number): number => {
    const [position, head, feature] = [Math.floor(i / (heads * headDim)), Math.floor(i / headDim) % heads, i % headDim];
    const { x, local } = placeOfHead(layout, head, feature);
    const y = s * ring + (position % ring);
    return (y * cols + x) * words + start + local * attention.tokens + Math.floor(position / ring);
  };
  const inputs = Array.from({ length: sequences }, (_, s) =>
    [at.queries, at.keysAndValues, at.keysAndValues + vector, at.byOutput].map((start, part) => {
      const drawn = drawHalves(size, seed + 4 * s + part, 1.2);
      drawn.forEach((value, i) => {
        mesh.memory[wordOf(s, i, start)] = value;
      });
      return drawn;
    }),
  );
  attentionOnMesh(mesh, 'attn', attention, at);
  const firstStep = mesh.steps.length;
  const first = attentionBackwardOnMesh(mesh, 'attn', attention, at);
  const gradients = inputs.map((_, s) =>
    [first, first + vector, first + 2 * vector].map((start) =>
      Float32Array.from({ length: size }, (_unused, i) => mesh.memory[wordOf(s, i, start)]),
    ),
  );
  return { mesh, firstStep, inputs, gradients };
}

const U = 2 ** -11;
/** fp16 below 2^-14 is off by 2^-25; a few of them. */
const TINY = 2 ** -22;

/**
 * Worst case of the roundings of each gradient, U each, number by number: q, k and v. A score of headDim products is off by
 * (headDim + 5) U of the sum of their sizes (scale, query, products, sums, difference to the maximum), the exponential by U
 * more, and a probability by that twice (its sum has it too) and by the reciprocal and the product. dP is off by (headDim +
 * 1) U of the sizes, D by that of the sizes of dO O and by the error of O, as in the test of forward. Sums of n terms round
 * each of them n + 1 times.
 */
function boundsOf({ attention }: Drawn, [q, k, v, dout]: Float32Array[]): Float64Array[] {
  const { heads, headDim, sequence: T, causal, keyBlock, tokens } = attention;
  const C = heads * headDim;
  const bounds = [q, k, v].map(() => new Float64Array(T * C));
  const scale = 1 / Math.sqrt(headDim);
  const out = attentionReference(q, k, v, T, heads, headDim, causal);
  const tiles = Math.ceil(tokens / keyBlock) * (T / tokens);
  const largest = Math.max(...v.map(Math.abs));
  const sizes = (a: ArrayLike<number>, t: number, b: ArrayLike<number>, s: number, h: number): number => {
    let size = 0;
    for (let i = h * headDim; i < (h + 1) * headDim; i++) size += Math.abs(a[t * C + i] * b[s * C + i]);
    return size;
  };
  for (let h = 0; h < heads; h++)
    for (let t = 0; t < T; t++) {
      const end = causal ? t + 1 : T;
      const keys = Array.from({ length: end }, (_, s) => s);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>, s: number): number => {
        let sum = 0;
        for (let i = h * headDim; i < (h + 1) * headDim; i++) sum += a[t * C + i] * b[s * C + i];
        return sum;
      };
      const weights = keys.map((s) => Math.exp(scale * dot(q, k, s)));
      const sum = weights.reduce((a, b) => a + b, 0);
      const most = Math.max(...keys.map((s) => scale * sizes(q, t, k, s, h)));
      const ofWeight = Math.expm1((headDim + 5) * U * most + U);
      const ofOut = largest * (2 * ofWeight + (2 * T + tiles + 2) * U) + TINY;
      let ofDelta = (headDim + 1) * U * sizes(dout, t, out, t, h) + TINY;
      for (let i = h * headDim; i < (h + 1) * headDim; i++) ofDelta += ofOut * Math.abs(dout[t * C + i]);
      const mean = keys.reduce((total, s) => total + (weights[s] / sum) * dot(dout, v, s), 0);
      for (const s of keys) {
        const p = weights[s] / sum;
        const ofP = (2 * ofWeight + 3 * U) * p + TINY;
        const difference = Math.abs(dot(dout, v, s) - mean);
        const ofDifference = (headDim + 1) * U * sizes(dout, t, v, s, h) + ofDelta + TINY;
        const ofDs = ofP * (difference + ofDifference) + p * ofDifference + 2 * U * p * difference + TINY;
        const rounded = (error: number, size: number): number => error + (T + 3) * U * (size + error) + TINY;
        for (let i = h * headDim; i < (h + 1) * headDim; i++) {
          const [query, key, gradient] = [q[t * C + i] * scale, k[s * C + i], dout[t * C + i]].map(Math.abs);
          bounds[0][t * C + i] += rounded(ofDs, p * difference) * key * scale + TINY;
          bounds[1][s * C + i] += rounded(ofDs, p * difference) * query + TINY;
          bounds[2][s * C + i] += rounded(ofP, p) * gradient + TINY;
        }
      }
    }
  return bounds;
}

/** The largest share of its bound that an error takes. */
function worst(drawn: Drawn, { inputs, gradients }: Whole): number {
  const { heads, headDim, sequence, causal } = drawn.attention;
  let share = 0;
  inputs.forEach(([q, k, v, dout], s) => {
    const exact = attentionBackward(q, k, v, dout, sequence, heads, headDim, causal);
    const bounds = boundsOf(drawn, [q, k, v, dout]);
    [exact.q, exact.k, exact.v].forEach((values, part) => {
      values.forEach((value, i) => {
        share = Math.max(share, Math.abs(gradients[s][part][i] - value) / bounds[part][i]);
        if (Number.isNaN(gradients[s][part][i])) share = Infinity;
      });
    });
  });
  return share;
}

/** Root mean square of the differences, of that of the values. */
function relative(got: Float32Array, exact: Float64Array): number {
  let [error, size] = [0, 0];
  exact.forEach((value, i) => {
    error += (got[i] - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(error / size);
}

describe('the whole', () => {
  test('is the reference within fp16, on any number of columns, rows and heads', () => {
    const shares: number[] = [];
    fc.assert(
      fc.property(whole, (drawn) => {
        const share = worst(drawn, runWhole(drawn));
        shares.push(share);
        expect(share).toBeLessThanOrEqual(1);
      }),
      { seed: 21, numRuns: 100 },
    );
    // The bound is one that errors come near to.
    expect(Math.max(...shares)).toBeGreaterThan(0.1);
  });

  const drawn: Drawn = {
    attention: {
      heads: 2,
      headDim: 8,
      cols: 8,
      tokens: 6,
      sequence: 18,
      keyBlock: 4,
      causal: true,
      accumulate: 'fp16',
    },
    sequences: 1,
    seed: 5,
    latencies: smallestQueues,
  };

  const { sequence, heads, headDim, causal } = drawn.attention;
  const run = runWhole(drawn);
  const [[q, k, v, dout]] = run.inputs;
  const exact = attentionBackward(q, k, v, dout, sequence, heads, headDim, causal);
  // Roundings of a gradient one after the other, as independent: twice the products and sums of a score and what follows them
  // to the probability, those of dP and of D, and half of the sums over the sequence.
  const limit = Math.sqrt((2 * (2 * headDim + 5) + 2 * 2 * headDim + sequence / 2) * ROUNDING);

  test.each(['q', 'k', 'v'] as const)('is near in the mean, and a gradient by %s that is 1 %% off is not', (name) => {
    const got = run.gradients[0][['q', 'k', 'v'].indexOf(name)];
    const off = relative(got, exact[name]);
    expect(off).toBeLessThan(limit);
    expect(limit).toBeLessThan(4 * off);
    expect(
      relative(
        got.map((value) => 1.01 * value),
        exact[name],
      ),
    ).toBeGreaterThan(limit);
  });

  test('takes the cycles of its steps, one rectangle standing for all', () => {
    fc.assert(
      fc.property(whole, (drawn) => {
        const { mesh, firstStep } = runWhole(drawn);
        const used = machineWith(drawn.latencies);
        const steps = attentionBackwardSteps(drawn.attention, used);
        const total = steps.reduce(
          (sum, { shape, repeat }) => sum + repeat * runStepped(timingProgram(shape, used), drawn.latencies).cycles,
          0,
        );
        expect(total).toBe(mesh.steps.slice(firstStep).reduce((sum, { cycles }) => sum + cycles, 0));
        expect(mesh.steps.length - firstStep).toBe(steps.reduce((sum, { repeat }) => sum + repeat, 0));
      }),
      { seed: 22, numRuns: 40 },
    );
  });
});

/** Compute slots of the two columns of a program. */
function computeOf(shape: KernelShape): number[] {
  const { where } = runStepped(timingProgram(shape, machine), smallestQueues);
  return [0, 1].map((x) => where[x * CAUSE_COUNT + CAUSE.compute]);
}

describe('slots', () => {
  const mesh = { headCols: 2, rows: 1, cols: 2, groups: 1, headsPerColumn: 1 };
  const tile = { ...mesh, tokens: 6, firstKey: 2, keys: 3, causal: true };

  test('delta: a product of all queries a feature', () => {
    const shape = { kernel: 'attentionDelta', ...mesh, features: 5, tokens: 6, accumulate: 'fp16' } as const;
    expect(computeOf(shape)).toEqual([5 * 2, 5 * 2]);
    expect(computeOf({ ...shape, accumulate: 'fp32' })).toEqual([5 * 3, 5 * 3]);
  });

  test('softmax: twelve instructions for each of three keys, over even queries 2, 4 or odd ones 3, 5', () => {
    expect(computeOf({ kernel: 'attentionSoftmaxBackward', ...tile })).toEqual([3 * 12, 3 * 12]);
  });

  test('gradients: queries 2 .. 5 meet 1, 2, 3, 3 of the keys 2, 3, 4, which meet 4, 3, 2 of the queries', () => {
    const shape = { kernel: 'attentionGradients', ...tile, features: 5 } as const;
    expect(computeOf({ ...shape, of: 'values' })).toEqual([5 * 4, 5 * 4]);
    expect(computeOf({ ...shape, of: 'scores' })).toEqual([5 * (4 + 3), 5 * (4 + 3)]);
    const full = { ...shape, causal: false, keys: 4, tokens: 9 };
    expect(computeOf({ ...full, of: 'scores' })).toEqual([5 * (9 * 1 + 4 * 3), 5 * (9 * 1 + 4 * 3)]);
  });

  test('gathering both takes a wavelet an element', () => {
    const { where } = runStepped(
      timingProgram({ kernel: 'attentionGatherBoth', ...tile }, machine),
      latenciesOf(machine),
    );
    // Keys 2, 3, 4 meet the even queries 2, 4 twice, once, once, and the odd ones 3, 5 twice, twice, once.
    expect(where[CAUSE.reduce]).toBe(4 + 5);
  });
});

test('SRAM counts two blocks of four vectors where a sequence takes several rows', () => {
  const attention: AttentionCase = {
    heads: 4,
    headDim: 16,
    cols: 8,
    tokens: 8,
    sequence: 32,
    keyBlock: 4,
    causal: true,
    accumulate: 'fp16',
  };
  const vector = 2 * 8 * 8;
  expect(attentionBackwardSram(attention)).toEqual({
    queries: 4 * vector,
    keysAndValues: 8 * vector,
    tiles: 2 * 2 * 4 * 8,
    state: 2 * 4 + 4 * 8,
  });
  expect(attentionBackwardSram({ ...attention, sequence: 8 }).keysAndValues).toBe(4 * vector);
});
