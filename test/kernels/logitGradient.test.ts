// The gradient of the loss by the logits, slice by slice, after the running statistics, against the plain reference.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { logitGradient, TARGET_WEIGHT, TARGET_WORDS, targetPlace } from '../../kernels/logitGradient.ts';
import { logitMerge } from '../../kernels/logitMerge.ts';
import { logitScale } from '../../kernels/logitScale.ts';
import { logitStats, LOWEST } from '../../kernels/logitStats.ts';
import { crossEntropyBackward } from '../../kernels/reference/crossEntropy.ts';
import { layWords } from '../../kernels/values/meshRun.ts';
import { drawHalves, uniform } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';
import { gather, scatter } from './rows.ts';

const drawn = fc.record({
  rows: fc.integer({ min: 1, max: 2 }),
  cols: fc.integer({ min: 1, max: 6 }),
  tokens: fc.integer({ min: 1, max: 6 }),
  vocabulary: fc.integer({ min: 1, max: 40 }),
  slice: fc.integer({ min: 1, max: 20 }),
  weights: fc.constantFrom([1], [16], [1, 0]),
  seed: fc.integer({ min: 1, max: 999 }),
  latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
});

test('is that of the weighted sum of the losses, within fp16, and nothing beyond the slice', () => {
  fc.assert(
    fc.property(drawn, ({ rows, cols, tokens, vocabulary, slice, weights, seed, latencies }) => {
      const weightOf = (token: number): number => weights[token % weights.length];
      const features = Math.ceil(slice / cols);
      const { at, words } = layWords({
        logits: features * tokens,
        maximum: tokens,
        index: tokens,
        sum: tokens,
        row: tokens,
        rowIndex: tokens,
        inverse: tokens,
        targets: TARGET_WORDS * tokens,
      });
      let memory = new Float32Array(rows * cols * words);
      const logits = Array.from({ length: rows }, (_, y) => drawHalves(tokens * vocabulary, seed + y, 2));
      const next = uniform(seed);
      const targets = logits.map(() => Array.from({ length: tokens }, () => Math.floor(next() * vocabulary)));
      for (let pe = 0; pe < rows * cols; pe++) {
        memory.fill(LOWEST, pe * words + at.maximum, pe * words + at.index);
        targets[Math.floor(pe / cols)].forEach((target, i) => {
          [...targetPlace(target, slice, cols), weightOf(i)].forEach((value, word) => {
            memory[pe * words + at.targets + word * tokens + i] = value;
          });
        });
      }
      const layout = (y: number, count: number) => ({ cols, words, y, at: at.logits, tokens, width: count });
      const fill = (first: number, count: number): void => {
        logits.forEach((row, y) => {
          const part = Array.from(
            { length: tokens * count },
            (_, i) => row[Math.floor(i / count) * vocabulary + first + (i % count)],
          );
          scatter(memory, part, layout(y, count));
        });
      };
      const extent = { rows, cols, tokens };
      for (let first = 0; first < vocabulary; first += slice) {
        const count = Math.min(slice, vocabulary - first);
        fill(first, count);
        const stats = logitStats.program({ kernel: 'logitStats', ...extent, features }, machine, {
          words,
          memory,
          at,
          first,
          count,
        });
        memory = runStepped(stats, latencies).memory.slice();
      }
      const merge = logitMerge.program({ kernel: 'logitMerge', ...extent }, machine, { words, memory, at });
      memory = runStepped(merge, latencies).memory.slice();
      const scaling = { kernel: 'logitScale', ...extent } as const;
      const places = { ...at, weight: at.targets + TARGET_WEIGHT * tokens };
      const scaled = runStepped(logitScale.program(scaling, machine, { words, memory, at: places }), latencies);
      expect(scaled.cycles).toBe(runStepped(logitScale.program({ ...scaling, rows: 1 }, machine), latencies).cycles);
      memory = scaled.memory.slice();

      for (let first = 0; first < vocabulary; first += slice) {
        const count = Math.min(slice, vocabulary - first);
        fill(first, count);
        const shape = { kernel: 'logitGradient', ...extent, features } as const;
        const values = { words, memory, at, slice: first / slice, count };
        const run = runStepped(logitGradient.program(shape, machine, values), latencies);
        expect(run.cycles).toBe(
          runStepped(logitGradient.program({ ...shape, rows: 1, cols: 1 }, machine), latencies).cycles,
        );
        logits.forEach((row, y) => {
          const exact = crossEntropyBackward(row, targets[y], vocabulary);
          gather(run.memory, layout(y, features * cols)).forEach((got, i) => {
            const [token, n] = [Math.floor(i / (features * cols)), i % (features * cols)];
            if (n >= count) expect(got).toBe(0);
            else expectGradient(got, tokens * exact[token * vocabulary + first + n], weightOf(token));
          });
        });
      }
    }),
    { seed: 51, numRuns: 60 },
  );
});

/**
 * The mean over the tokens is not taken on the wafer. A difference of logits up to 16 is off by 2^-11 of it, so that the
 * exponential is off by 2^-7 of itself at most, and so is the sum; then come roundings of 2^-11 of the reciprocal, of each
 * exponential and of the product, and of the difference to the target.
 */
function expectGradient(got: number, exact: number, weight: number): void {
  const share = exact < 0 ? exact + 1 : exact;
  const bound = weight * (share * (2 * 2 ** -7 + 6 * 2 ** -11) + Math.abs(exact) * 2 ** -11 + 2 ** -23);
  expect(Math.abs(got - weight * exact)).toBeLessThanOrEqual(bound);
}

test('a slice takes 3 instructions, and 11 a feature; the reciprocals of the last column 5, then a broadcast', () => {
  const shape = { kernel: 'logitGradient', rows: 1, cols: 1, features: 3, tokens: 5 } as const;
  expect(runStepped(logitGradient.program(shape, machine), latenciesOf(machine)).cycles).toBe(2 * (3 + 3 * 11));
  const scaling = { kernel: 'logitScale', rows: 1, cols: 7, tokens: 5 } as const;
  const { cycles } = runStepped(logitScale.program(scaling, machine), latenciesOf(machine));
  expect(cycles).toBe(5 * 5 + 5 + 7 + 4);
});
