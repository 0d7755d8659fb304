// Attention: each of its kernels, and all of them together against the plain reference.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Latencies, Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { attentionGather, type AttentionGatherShape } from '../../kernels/attention/gather.ts';
import { headLayout, placeOfHead, positionOf } from '../../kernels/attention/layout.ts';
import { attentionNormalise } from '../../kernels/attention/normalise.ts';
import { attentionScores, type AttentionScoresShape } from '../../kernels/attention/scores.ts';
import { attentionSoftmax } from '../../kernels/attention/softmax.ts';
import { attentionSram } from '../../kernels/attention/sram.ts';
import { type AttentionCase, attentionSteps, layoutOf, rowsPerSequence } from '../../kernels/attention/steps.ts';
import { attentionValues } from '../../kernels/attention/values.ts';
import { timingProgram } from '../../kernels/index.ts';
import { attention as attentionReference } from '../../kernels/reference/attention.ts';
import { attentionOnMesh, attentionWords } from '../../kernels/values/attentionOnMesh.ts';
import { layWords, MeshRun } from '../../kernels/values/meshRun.ts';
import { bank, drawHalves, uniform } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const latencies = fc.oneof(anyLatencies, fc.constant(smallestQueues));

function machineWith({ rampLatency, routerBuffer, creditLatency, ...core }: Latencies): Machine {
  const fabric = { ...machine.fabric, rampLatency, routerBuffer, creditLatency };
  return { ...machine, fabric, core: { ...machine.core, ...core } };
}

describe('where heads lie', () => {
  test('more columns than heads: neighbouring columns share a head', () => {
    const layout = headLayout(3, 10, 13);
    expect(layout).toMatchObject({ headCols: 4, headsPerColumn: 1, features: 3, groups: 3 });
    expect(placeOfHead(layout, 0, 0)).toEqual({ x: 0, local: 0 });
    expect(placeOfHead(layout, 2, 9)).toEqual({ x: 11, local: 0 });
  });

  test('more heads than columns: a column holds whole heads', () => {
    const layout = headLayout(5, 4, 2);
    expect(layout).toMatchObject({ headCols: 1, headsPerColumn: 3, features: 4, groups: 2 });
    expect(placeOfHead(layout, 2, 3)).toEqual({ x: 0, local: 11 });
    expect(placeOfHead(layout, 3, 1)).toEqual({ x: 1, local: 1 });
  });

  test('pairs of features stay together', () => {
    expect(headLayout(1, 10, 4, true).features).toBe(4);
  });

  test('positionOf is the inverse of columnOf', () => {
    for (let size = 1; size < 9; size++)
      for (let p = 0; p < size; p++) expect(positionOf(columnOf(p, size), size)).toBe(p);
  });
});

const tileShape = {
  rows: fc.integer({ min: 1, max: 2 }),
  headCols: fc.integer({ min: 1, max: 5 }),
  groups: fc.integer({ min: 1, max: 2 }),
  idle: fc.integer({ min: 0, max: 1 }),
  tokens: fc.integer({ min: 1, max: 11 }),
  first: fc.nat(),
  count: fc.nat(),
  causal: fc.boolean(),
  seed: fc.integer({ min: 1, max: 999 }),
  latencies,
};

function tileOf({
  tokens,
  first,
  count,
  causal,
  headCols,
  groups,
  rows,
  idle,
}: Record<'tokens' | 'first' | 'count' | 'headCols' | 'groups' | 'rows' | 'idle', number> & { causal: boolean }) {
  const firstKey = first % tokens;
  const keys = 1 + (count % (tokens - firstKey));
  return { tokens, firstKey, keys, causal, headCols, groups, rows, cols: groups * headCols + idle };
}

describe('scores', () => {
  test.each(['fp16', 'fp32'] as const)(
    'of whole numbers are exact (%s): position n ends with the scores of the queries n mod columns',
    (accumulate) => {
      const drawn = fc.record({ ...tileShape, features: fc.integer({ min: 1, max: 3 }) });
      fc.assert(
        fc.property(drawn, ({ features, seed, latencies, ...rest }) => {
          const tile = tileOf(rest);
          const { tokens, firstKey, keys, causal, headCols, groups, rows, cols } = tile;
          const shape: AttentionScoresShape = {
            kernel: 'attentionScores',
            ...tile,
            headsPerColumn: 1,
            features,
            accumulate,
          };
          const { at, words } = layWords({ queries: features * tokens, keys: features * tokens, tile: keys * tokens });
          // Whole numbers to 4: sums of 15 products stay below 2048, so no rounding.
          const next = uniform(seed);
          const memory = bank(rows * cols, words, () =>
            Float32Array.from({ length: 2 * features * tokens }, () => Math.floor(next() * 9) - 4),
          );
          const run = runStepped(attentionScores.program(shape, machine, { words, memory, at }), latencies);
          for (let y = 0; y < rows; y++)
            for (let g = 0; g < groups; g++)
              for (let i = 0; i < tokens; i++)
                for (let key = firstKey; key < firstKey + keys; key++) {
                  if (causal && key > i) continue;
                  let score = 0;
                  for (let c = 0; c < headCols; c++)
                    for (let f = 0; f < features; f++) {
                      const pe = (y * cols + g * headCols + c) * words;
                      score += memory[pe + at.queries + f * tokens + i] * memory[pe + at.keys + f * tokens + key];
                    }
                  const owner = (y * cols + g * headCols + columnOf(i % headCols, headCols)) * words;
                  expect(run.memory[owner + at.tile + (key - firstKey) * tokens + i]).toBe(score);
                }
          const timed = runStepped(attentionScores.program(shape, machine), latencies);
          expect(timed.cycles).toBe(run.cycles);
          const one = attentionScores.program({ ...shape, rows: 1, groups: 1, cols: headCols }, machine);
          expect(runStepped(one, latencies).cycles).toBe(run.cycles);
        }),
        { seed: 9, numRuns: 60 },
      );
    },
  );
});

describe('gather', () => {
  test('leaves every column of a head with all segments and all alphas', () => {
    fc.assert(
      fc.property(fc.record(tileShape), ({ seed, latencies, ...rest }) => {
        const tile = tileOf(rest);
        const { tokens, firstKey, keys, causal, headCols, groups, rows, cols } = tile;
        const shape: AttentionGatherShape = { kernel: 'attentionGather', ...tile, headsPerColumn: 1 };
        const { at, words } = layWords({ tile: keys * tokens, alpha: tokens });
        const memory = bank(rows * cols, words, (pe) => drawHalves(words, seed + pe));
        const used = machineWith(latencies);
        const run = runStepped(attentionGather.program(shape, used, { words, memory, at }), latencies);
        for (let pe = 0; pe < rows * cols; pe++) {
          const [x, y] = [pe % cols, Math.floor(pe / cols)];
          if (x >= groups * headCols) continue;
          const head = y * cols + Math.floor(x / headCols) * headCols;
          for (let i = causal ? firstKey : 0; i < tokens; i++) {
            const owner = head + columnOf(i % headCols, headCols);
            expect(run.memory[pe * words + at.alpha + i]).toBe(memory[owner * words + at.alpha + i]);
            for (let key = firstKey; key < firstKey + keys; key++) {
              if (causal && key > i) continue;
              const word = at.tile + (key - firstKey) * tokens + i;
              expect(run.memory[pe * words + word]).toBe(memory[owner * words + word]);
            }
          }
        }
        expect(runStepped(attentionGather.program(shape, used), latencies).cycles).toBe(run.cycles);
      }),
      { seed: 10, numRuns: 100 },
    );
  });
});

/** Compute slots of the two columns of a program. */
function computeOf(program: FabricProgram): number[] {
  const { where } = runStepped(program, smallestQueues);
  return [0, 1].map((x) => where[x * CAUSE_COUNT + CAUSE.compute]);
}

describe('slots', () => {
  const tile = { tokens: 6, firstKey: 2, keys: 3, causal: true, headCols: 2, rows: 1, cols: 2, groups: 1 };
  test('scores: queries b .. 5 meet keys b = 2, 3, 4, so 1 vector of 4 lanes each, for each feature', () => {
    const shape = { kernel: 'attentionScores', ...tile, headsPerColumn: 1, features: 5, accumulate: 'fp16' } as const;
    expect(computeOf(attentionScores.program(shape, machine))).toEqual([5 * 3, 5 * 3]);
    // fp32 accumulation has two lanes: 2 + 2 + 1 slots.
    expect(computeOf(attentionScores.program({ ...shape, accumulate: 'fp32' }, machine))).toEqual([25, 25]);
  });

  test('softmax: even queries 2, 4 and odd ones 3, 5', () => {
    const shape = { kernel: 'attentionSoftmax', ...tile, headsPerColumn: 1 } as const;
    // Three keys: maximum, difference and exponential, and a sum; then alpha, and two fp32 updates of the sum.
    expect(computeOf(attentionSoftmax.program(shape, machine))).toEqual(Array(2).fill(3 * (10 + 1) + 9 + 2));
  });

  test('values: the output shrinks once and takes a multiply-add a key', () => {
    const shape = { kernel: 'attentionValues', ...tile, headsPerColumn: 1, features: 5 } as const;
    expect(computeOf(attentionValues.program(shape, machine))).toEqual([5 * (1 + 3), 5 * (1 + 3)]);
  });

  test('normalise: a reciprocal a query of the segment, then the scale', () => {
    const { rows, cols, groups, headCols, tokens } = tile;
    const shape = { rows, cols, groups, headCols, tokens, headsPerColumn: 1, features: 5 };
    const program = attentionNormalise.program({ kernel: 'attentionNormalise', ...shape }, machine);
    expect(computeOf(program)).toEqual([3 * 4 + 5 * 2, 3 * 4 + 5 * 2]);
  });
});

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
    latencies,
  })
  .map(({ rows, sequences, seed, latencies, ...rest }) => ({
    attention: { ...rest, sequence: rows * rest.tokens },
    sequences,
    seed,
    latencies,
  }));

/** Runs one attention on random queries, keys and values [sequence][head][feature]; returns them and the output so laid. */
function runWhole({ attention, sequences, seed, latencies }: Drawn) {
  const { heads, headDim, cols, tokens, sequence } = attention;
  const ring = rowsPerSequence(attention);
  const { at, words } = layWords(attentionWords(attention));
  const mesh = new MeshRun(machineWith(latencies), sequences * ring, cols, words);
  const size = sequence * heads * headDim;
  const layout = layoutOf(attention);
  const vector = attentionWords(attention).queries;
  const wordOf = (s: number, i: number, start: number): number => {
    const [position, head, feature] = [Math.floor(i / (heads * headDim)), Math.floor(i / headDim) % heads, i % headDim];
    const { x, local } = placeOfHead(layout, head, feature);
    const y = s * ring + (position % ring);
    return (y * cols + x) * words + start + local * tokens + Math.floor(position / ring);
  };
  const inputs = Array.from({ length: sequences }, (_, s) =>
    [at.queries, at.keysAndValues, at.keysAndValues + vector].map((start, part) => {
      const drawn = drawHalves(size, seed + 3 * s + part, 1.5);
      drawn.forEach((value, i) => {
        mesh.memory[wordOf(s, i, start)] = value;
      });
      return drawn;
    }),
  );
  attentionOnMesh(mesh, 'attn', attention, at);
  const outputs = inputs.map((_, s) =>
    Float32Array.from({ length: size }, (_, i) => mesh.memory[wordOf(s, i, at.output)]),
  );
  return { mesh, inputs, outputs };
}

/**
 * Worst case of the roundings, u = 2^-11 each. A score of headDim products is off by at most (headDim + 3) u of the sum
 * of their sizes S (scale, query, products, sums), its difference to the maximum by 2 u S more, and the exponential by u;
 * weights off by a share e move a weighted mean by 2 e of the largest value. The output is rounded twice a key, once a
 * tile, and twice at its end; weights below 2^-14 are off by 2^-25.
 */
function boundOf({ heads, headDim, sequence, keyBlock, tokens }: AttentionCase, ...[q, k, v]: Float32Array[]): number {
  const u = 2 ** -11;
  const C = heads * headDim;
  let largest = 0;
  for (let t = 0; t < sequence; t++)
    for (let s = 0; s < sequence; s++)
      for (let h = 0; h < heads; h++) {
        let size = 0;
        for (let i = h * headDim; i < (h + 1) * headDim; i++) size += Math.abs(q[t * C + i] * k[s * C + i]);
        largest = Math.max(largest, size / Math.sqrt(headDim));
      }
  const e = Math.expm1((headDim + 5) * u * largest + u);
  const tiles = Math.ceil(tokens / keyBlock) * (sequence / tokens);
  return Math.max(...v.map(Math.abs)) * (2 * e + (2 * sequence + tiles + 2) * u + sequence * 2 ** -24) + 2 ** -20;
}

describe('the whole', () => {
  test('is the reference within fp16, on any number of columns, rows and heads', () => {
    fc.assert(
      fc.property(whole, (drawn) => {
        const { heads, headDim, sequence, causal } = drawn.attention;
        const { inputs, outputs } = runWhole(drawn);
        inputs.forEach(([q, k, v], s) => {
          const exact = attentionReference(q, k, v, sequence, heads, headDim, causal);
          const bound = boundOf(drawn.attention, q, k, v);
          outputs[s].forEach((got, i) => {
            expect(Math.abs(got - exact[i])).toBeLessThanOrEqual(bound);
          });
        });
      }),
      { seed: 11, numRuns: 150 },
    );
  });

  test('takes the cycles of its steps, one rectangle standing for all', () => {
    fc.assert(
      fc.property(whole, (drawn) => {
        const { mesh } = runWhole(drawn);
        const used = machineWith(drawn.latencies);
        const total = attentionSteps(drawn.attention, used).reduce(
          (sum, { shape, repeat }) => sum + repeat * runStepped(timingProgram(shape, used), drawn.latencies).cycles,
          0,
        );
        expect(total).toBe(mesh.steps.reduce((sum, { cycles }) => sum + cycles, 0));
      }),
      { seed: 12, numRuns: 40 },
    );
  });

  test('SRAM counts the block that arrives only where there is one', () => {
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
    expect(attentionSram(attention)).toEqual({
      queries: vector,
      keysAndValues: 4 * vector,
      tile: 2 * 4 * 8,
      output: vector,
      state: 2 * 8 + 6 * 4,
    });
    expect(attentionSram({ ...attention, sequence: 8 }).keysAndValues).toBe(2 * vector);
  });
});
