// Running statistics of sliced logits, merged over the row, against the plain reference.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { logitMerge, type LogitMergeShape } from '../../kernels/logitMerge.ts';
import { logitStats, type LogitStatsShape, LOWEST } from '../../kernels/logitStats.ts';
import { logitSummary } from '../../kernels/reference/logits.ts';
import { layWords } from '../../kernels/values/meshRun.ts';
import { drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';
import { scatter } from './rows.ts';

const drawn = fc.record({
  rows: fc.integer({ min: 1, max: 2 }),
  cols: fc.integer({ min: 1, max: 6 }),
  tokens: fc.integer({ min: 1, max: 6 }),
  vocabulary: fc.integer({ min: 1, max: 40 }),
  slice: fc.integer({ min: 1, max: 20 }),
  seed: fc.integer({ min: 1, max: 999 }),
  latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
});

test('largest logit and index are exact, the sum of exponentials is within fp16', () => {
  fc.assert(
    fc.property(drawn, ({ rows, cols, tokens, vocabulary, slice, seed, latencies }) => {
      const features = Math.ceil(slice / cols);
      const parts = {
        logits: features * tokens,
        maximum: tokens,
        index: tokens,
        sum: tokens,
        row: tokens,
        rowIndex: tokens,
      };
      const { at, words } = layWords(parts);
      let memory = new Float32Array(rows * cols * words);
      for (let pe = 0; pe < rows * cols; pe++) memory.fill(LOWEST, pe * words + at.maximum, pe * words + at.index);
      // Few distinct values, so that the largest is often there more than once.
      const logits = Array.from({ length: rows }, (_, y) =>
        drawHalves(tokens * vocabulary, seed + y, 3).map(Math.round),
      );
      const stats: LogitStatsShape = { kernel: 'logitStats', rows, cols, features, tokens };
      let slices = 0;
      for (let first = 0; first < vocabulary; first += slice) {
        const count = Math.min(slice, vocabulary - first);
        logits.forEach((row, y) => {
          const part = Array.from(
            { length: tokens * count },
            (_, i) => row[Math.floor(i / count) * vocabulary + first + (i % count)],
          );
          scatter(memory, part, { cols, words, y, at: at.logits, tokens, width: count });
        });
        const run = runStepped(logitStats.program(stats, machine, { words, memory, at, first, count }), latencies);
        expect(run.cycles).toBe(runStepped(logitStats.program(stats, machine), latencies).cycles);
        memory = run.memory.slice();
        slices++;
      }
      const merge: LogitMergeShape = { kernel: 'logitMerge', rows, cols, tokens };
      const run = runStepped(logitMerge.program(merge, machine, { words, memory, at }), latencies);
      expect(run.cycles).toBe(runStepped(logitMerge.program({ ...merge, rows: 1 }, machine), latencies).cycles);
      for (let y = 0; y < rows; y++)
        for (let i = 0; i < tokens; i++) {
          const { max, index, sum } = logitSummary(logits[y].subarray(i * vocabulary, (i + 1) * vocabulary));
          const read = (start: number): number => run.memory[(y * cols + cols - 1) * words + start + i];
          expect(read(at.row) + 0).toBe(max + 0);
          expect(read(at.rowIndex)).toBe(index);
          // Differences of whole numbers are exact; each exponential is rounded by 2^-11 (below 2^-14, by 2^-25), once
          // for the logit and once for every rescale: of its column between slices, and at the merge.
          const bound = sum * ((slices + 2) * 2 ** -11) + 2 * vocabulary * 2 ** -25;
          expect(Math.abs(read(at.sum) - sum)).toBeLessThanOrEqual(bound);
        }
    }),
    { seed: 13, numRuns: 100 },
  );
});

test('a slice takes a maximum, a difference, an exponential and a sum a feature, and one rescale', () => {
  const shape: LogitStatsShape = { kernel: 'logitStats', rows: 1, cols: 1, features: 3, tokens: 5 };
  const { cycles } = runStepped(logitStats.program(shape, machine), latenciesOf(machine));
  expect(cycles).toBe(3 * (2 * 10 + 3) + 2 * 9 + 5);
});
