// LayerNorm and RMSNorm against the plain reference, and their cycles.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { layerNorm, type LayerNormShape } from '../../kernels/layerNorm.ts';
import * as reference from '../../kernels/reference/layerNorm.ts';
import { drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';
import { gather, scatter } from './rows.ts';

const kinds = ['layernorm', 'rmsnorm'] as const;
const EPSILON = 1e-5;

test.each(kinds)('%s is the reference within fp16, padding stays zero, in the cycles of the timing run', (kind) => {
  const drawn = fc.record({
    rows: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 7, max: 40 }),
    tokens: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer({ min: 1, max: 999 }),
    latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
  });
  fc.assert(
    fc.property(drawn, ({ rows, cols, width, tokens, seed, latencies }) => {
      const features = Math.ceil(width / cols);
      const shape: LayerNormShape = { kernel: 'layerNorm', rows, cols, width, features, tokens, kind };
      const count = features * tokens;
      const at = { input: 0, output: count, stats: 2 * count };
      const words = 2 * count + 2 * tokens;
      const memory = new Float32Array(rows * cols * words);
      const rowOf = (y: number) => drawHalves(tokens * width, seed + y, 2).map((x) => Math.round((x + 0.5) * 64) / 64);
      for (let y = 0; y < rows; y++) scatter(memory, rowOf(y), { cols, words, y, at: at.input, tokens, width });
      const run = runStepped(layerNorm.program(shape, machine, { words, memory, at, epsilon: EPSILON }), latencies);
      for (let y = 0; y < rows; y++) {
        const inp = rowOf(y);
        const exact = (kind === 'layernorm' ? reference.layerNorm : reference.rmsNorm)(inp, tokens, width, EPSILON);
        gather(run.memory, { cols, words, y, at: at.output, tokens, width }).forEach((got, i) => {
          const token = inp.subarray(Math.floor(i / width) * width, (Math.floor(i / width) + 1) * width);
          const inverse = scaleOf(token, kind);
          // Roundings of 2^-11: the mean, relative to itself; the difference, the reciprocal and the product.
          const bound = 2 ** -11 * (1.01 * meanOf(token, kind) * inverse + 3.05 * Math.abs(exact[i])) + 2 ** -20;
          expect(Math.abs(got - exact[i])).toBeLessThanOrEqual(bound);
        });
      }
      expectZeroPadding(run.memory, shape, at.output, words);
      expect(run.cycles).toBe(runStepped(layerNorm.program(shape, machine), latencies).cycles);
      expect(run.cycles).toBe(runStepped(layerNorm.program({ ...shape, rows: 1 }, machine), latencies).cycles);
    }),
    { seed: 7, numRuns: 60 },
  );
});

function meanOf(token: Float32Array, kind: (typeof kinds)[number]): number {
  return kind === 'rmsnorm' ? 0 : Math.abs(token.reduce((sum, x) => sum + x / token.length, 0));
}

function scaleOf(token: Float32Array, kind: (typeof kinds)[number]): number {
  const mean = kind === 'rmsnorm' ? 0 : token.reduce((sum, x) => sum + x / token.length, 0);
  return 1 / Math.sqrt(token.reduce((sum, x) => sum + (x - mean) ** 2 / token.length, 0) + EPSILON);
}

/** Words of the output beyond the last feature, on every PE, are the zeros they were. */
function expectZeroPadding(memory: Float32Array, shape: LayerNormShape, at: number, words: number): void {
  const { rows, cols, features, tokens, width } = shape;
  const slots = features * cols;
  for (let y = 0; y < rows; y++) {
    const all = gather(memory, { cols, words, y, at, tokens, width: slots });
    all.forEach((value, i) => {
      if (i % slots >= width) expect(value).toBe(0);
    });
  }
}

test.each(kinds)('%s of one column sends nothing', (kind) => {
  const shape: LayerNormShape = { kernel: 'layerNorm', rows: 1, cols: 1, width: 6, features: 6, tokens: 5, kind };
  const program = layerNorm.program(shape, machine);
  expect(program.routes).toEqual([]);
  const slots = kind === 'layernorm' ? 2 * 6 * 3 + 5 * 8 + 2 * 6 * 2 : 6 * 3 + 5 * 6 + 6 * 2;
  expect(runStepped(program, latenciesOf(machine)).cycles).toBe(slots);
});

test('LayerNorm of 9 columns is its phases one after the other: sums, chain, statistics, broadcast, normalisation', () => {
  const [cols, features, tokens] = [9, 4, 8];
  const shape: LayerNormShape = { kernel: 'layerNorm', rows: 1, cols, width: 36, features, tokens, kind: 'layernorm' };
  const chain = 2 * tokens + 6 * (cols - 1);
  const back = 2 * tokens + cols + 4;
  const { cycles } = runStepped(layerNorm.program(shape, machine), latenciesOf(machine));
  expect(cycles).toBe(2 * features * 4 + chain + 8 * tokens + back + 2 * features * 2);
});
