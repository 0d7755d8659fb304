// The gradients of LayerNorm and RMSNorm against the plain reference, after their own forward kernels, and their cycles.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { layerNorm } from '../../kernels/layerNorm.ts';
import { layerNormBackward, type LayerNormBackwardShape } from '../../kernels/layerNormBackward.ts';
import * as forward from '../../kernels/reference/layerNorm.ts';
import * as reference from '../../kernels/reference/layerNormBackward.ts';
import { layWords } from '../../kernels/values/meshRun.ts';
import { drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';
import { gather, scatter } from './rows.ts';

const kinds = ['layernorm', 'rmsnorm'] as const;
const EPSILON = 1e-5;
const U = 2 ** -11;

test.each(kinds)('%s is the reference within fp16, padding stays zero, in the cycles of the timing run', (kind) => {
  const drawn = fc.record({
    rows: fc.integer({ min: 1, max: 3 }),
    cols: fc.integer({ min: 1, max: 7 }),
    width: fc.integer({ min: 7, max: 40 }),
    tokens: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer({ min: 1, max: 999 }),
    latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
  });
  const of =
    kind === 'layernorm'
      ? { norm: forward.layerNorm, gradient: reference.layerNormBackward }
      : { norm: forward.rmsNorm, gradient: reference.rmsNormBackward };
  fc.assert(
    fc.property(drawn, ({ rows, cols, width, tokens, seed, latencies }) => {
      const extent = { rows, cols, width, features: Math.ceil(width / cols), tokens, kind };
      const vector = extent.features * tokens;
      const { at, words } = layWords({
        input: vector,
        normalised: vector,
        gradient: vector,
        output: vector,
        stats: 2 * tokens,
        sums: 2 * tokens,
      });
      const memory = new Float32Array(rows * cols * words);
      const place = (y: number, start: number) => ({ cols, words, y, at: start, tokens, width });
      const inputs = (y: number) => drawHalves(tokens * width, seed + y, 2);
      const gradients = (y: number) => drawHalves(tokens * width, seed + 10 + y);
      for (let y = 0; y < rows; y++) {
        scatter(memory, inputs(y), place(y, at.input));
        scatter(memory, gradients(y), place(y, at.gradient));
      }
      const norm = { words, memory, at: { input: at.input, output: at.normalised, stats: at.stats }, epsilon: EPSILON };
      const normed = runStepped(layerNorm.program({ kernel: 'layerNorm', ...extent }, machine, norm), latencies);
      const shape: LayerNormBackwardShape = { kernel: 'layerNormBackward', ...extent };
      const deviations = at.stats + (kind === 'layernorm' ? tokens : 0);
      const places = { ...at, deviations, stats: at.sums };
      const program = layerNormBackward.program(shape, machine, { words, memory: normed.memory, at: places });
      const run = runStepped(program, latencies);
      for (let y = 0; y < rows; y++) {
        const [x, g] = [inputs(y), gradients(y)];
        const exact = of.gradient(x, g, tokens, width, EPSILON);
        const normalised = of.norm(x, tokens, width, EPSILON);
        gather(run.memory, place(y, at.output)).forEach((got, i) => {
          const [bound] = boundOf(x, g, normalised, i, width, kind);
          expect(Math.abs(got - exact[i])).toBeLessThanOrEqual(bound);
        });
      }
      expect(run.cycles).toBe(runStepped(layerNormBackward.program(shape, machine), latencies).cycles);
      const one = layerNormBackward.program({ ...shape, rows: 1 }, machine);
      expect(run.cycles).toBe(runStepped(one, latencies).cycles);
      const padded = { ...place(0, at.output), width: extent.features * cols };
      gather(run.memory, padded).forEach((value, i) => {
        if (i % padded.width >= width) expect(value).toBe(0);
      });
    }),
    { seed: 31, numRuns: 60 },
  );
});

/**
 * Roundings of U each. xhat is off by U of itself three times and by U of the mean over the deviation, as in the test of
 * forward; so the mean of g xhat is off by as much of the mean size of g xhat, and by U of itself. Then come the mean of
 * g, three sums and a product, and the reciprocal deviation with the last product.
 */
function boundOf(
  x: Float32Array,
  g: Float32Array,
  normalised: readonly number[],
  i: number,
  width: number,
  kind: (typeof kinds)[number],
): [bound: number] {
  const first = i - (i % width);
  const features = Array.from({ length: width }, (_, k) => first + k);
  const mean = (values: (k: number) => number): number => features.reduce((sum, k) => sum + values(k) / width, 0);
  const centre = kind === 'layernorm' ? mean((k) => x[k]) : 0;
  const inverse = 1 / Math.sqrt(mean((k) => (x[k] - centre) ** 2) + EPSILON);
  const ofNormalised = (k: number): number => U * (3.1 * Math.abs(normalised[k]) + 1.1 * Math.abs(centre) * inverse);
  const ofG = kind === 'layernorm' ? mean((k) => g[k]) : 0;
  const product = mean((k) => g[k] * normalised[k]);
  const ofProduct = mean((k) => Math.abs(g[k]) * ofNormalised(k)) + 1.1 * U * Math.abs(product);
  const term = Math.abs(normalised[i] * product);
  const ofTerm = ofNormalised(i) * Math.abs(product) + Math.abs(normalised[i]) * ofProduct + 1.1 * U * term;
  const difference = Math.abs(g[i] - ofG);
  const ofDifference = 1.1 * U * (Math.abs(ofG) + difference);
  const rest = Math.abs(g[i] - ofG - normalised[i] * product);
  return [1.05 * inverse * (ofDifference + ofTerm + 3 * U * rest) + 2 ** -20];
}

test.each(kinds)('%s of one column sends nothing', (kind) => {
  const shape: LayerNormBackwardShape = {
    kernel: 'layerNormBackward',
    rows: 1,
    cols: 1,
    width: 6,
    features: 6,
    tokens: 5,
    kind,
  };
  const program = layerNormBackward.program(shape, machine);
  expect(program.routes).toEqual([]);
  const slots = kind === 'layernorm' ? 2 * 6 * 3 + 2 * 5 + 3 * 6 * 2 : 6 * 3 + 5 + 2 * 6 * 2;
  expect(runStepped(program, latenciesOf(machine)).cycles).toBe(slots);
});

test('LayerNorm of 9 columns is its phases one after the other: sums, chain, means, broadcast, combination', () => {
  const [cols, features, tokens] = [9, 4, 8];
  const extent = { rows: 1, cols, width: 36, features, tokens } as const;
  const chain = 2 * tokens + 6 * (cols - 1);
  const back = 2 * tokens + cols + 4;
  const program = layerNormBackward.program({ kernel: 'layerNormBackward', ...extent, kind: 'layernorm' }, machine);
  const { cycles } = runStepped(program, latenciesOf(machine));
  expect(cycles).toBe(2 * features * 4 + chain + 2 * tokens + back + 3 * features * 2);
});
