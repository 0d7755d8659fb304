// affine and rowStream: values against plain loops, rows shifted by a cycle each, no deadlock with the smallest queues.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { affine, type AffineShape, affineWavelet } from '../../kernels/affine.ts';
import { affine as affineReference } from '../../kernels/reference/affine.ts';
import { rowStream, type RowStreamShape, tableWavelets } from '../../kernels/rowStream.ts';
import { bank, drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const gap = fc.constantFrom<readonly [number, number]>([1, 1], [7, 5], [9, 2]);
const latencies = fc.oneof(anyLatencies, fc.constant(smallestQueues));
const extent = {
  rows: fc.integer({ min: 1, max: 5 }),
  cols: fc.integer({ min: 1, max: 4 }),
  features: fc.integer({ min: 1, max: 5 }),
  tokens: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer({ min: 1, max: 999 }),
  gap,
  latencies,
};

describe('affine', () => {
  test('is the reference with a rounding after the product and one after the sum', () => {
    fc.assert(
      fc.property(fc.record(extent), ({ rows, cols, features, tokens, seed, gap, latencies }) => {
        const shape: AffineShape = { kernel: 'affine', rows, cols, features, tokens, gap };
        const count = features * tokens;
        const memory = bank(rows * cols, 2 * count, (pe) => drawHalves(count, seed + pe));
        const scale = drawHalves(cols * features, seed + 100);
        const shift = drawHalves(cols * features, seed + 101);
        const wavelets = Array.from({ length: cols }, (_, x) =>
          Int32Array.from({ length: features }, (_, f) =>
            affineWavelet(scale[x * features + f], shift[x * features + f]),
          ),
        );
        const values = { words: 2 * count, memory, wavelets, at: { input: 0, output: count } };
        const run = runStepped(affine.program(shape, machine, values), latencies);
        for (let pe = 0; pe < rows * cols; pe++)
          for (let f = 0; f < features; f++) {
            const k = (pe % cols) * features + f;
            for (let i = 0; i < tokens; i++) {
              const x = memory[pe * 2 * count + f * tokens + i];
              const got = run.memory[pe * 2 * count + count + f * tokens + i];
              expect(got).toBe(fp16(fp16(x * scale[k]) + shift[k]));
              const [exact] = affineReference([x], [scale[k]], [shift[k]], 1, 1);
              // A rounding of the product and one of the sum, 2^-11 each, and fp16 subnormals.
              const bound = 2 ** -11 * (Math.abs(x * scale[k]) + Math.abs(got)) + 2 ** -24;
              expect(Math.abs(got - exact)).toBeLessThanOrEqual(bound);
            }
          }
        expect(run.cycles).toBe(runStepped(affine.program(shape, machine), latencies).cycles);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('each further row ends a cycle later', () => {
    fc.assert(
      fc.property(fc.record(extent), ({ rows, cols, features, tokens, gap, latencies }) => {
        const shape: AffineShape = { kernel: 'affine', rows, cols, features, tokens, gap };
        const one = runStepped(affine.program({ ...shape, rows: 1 }, machine), latencies);
        expect(runStepped(affine.program(shape, machine), latencies).cycles).toBe(one.cycles + rows - 1);
      }),
      { seed: 4, numRuns: 100 },
    );
  });
});

const orders = fc.oneof(
  fc.constant({ by: 'tokens' } as const),
  fc.record({ by: fc.constant('positions' as const), rowsPerSequence: fc.integer({ min: 1, max: 3 }) }),
);

describe('rowStream', () => {
  test('every row stores or adds the table rows of its own tokens', () => {
    fc.assert(
      fc.property(
        fc.record({ ...extent, order: orders, mode: fc.constantFrom('store' as const, 'add' as const) }),
        ({ rows, cols, features, tokens, seed, gap, latencies, order, mode }) => {
          const perToken = Math.ceil(features / 2);
          const length = (order.by === 'tokens' ? rows : order.rowsPerSequence) * tokens;
          const total = length * perToken;
          const shape: RowStreamShape = { kernel: 'rowStream', rows, cols, tokens, perToken, total, order, gap };
          const count = features * tokens;
          const memory = bank(rows * cols, count, (pe) => drawHalves(count, seed + pe));
          const tables = Array.from({ length: cols }, (_, x) => drawHalves(length * features, seed + 200 + x));
          const wavelets = tables.map((table) => tableWavelets(length, features, (t, k) => table[t * features + k]));
          const values = { words: count, memory, at: { output: 0 }, mode, features, wavelets };
          const run = runStepped(rowStream.program(shape, machine, values), latencies);
          for (let pe = 0; pe < rows * cols; pe++) {
            const y = Math.floor(pe / cols);
            for (let a = 0; a < tokens; a++) {
              const t =
                order.by === 'tokens' ? y * tokens + a : (y % order.rowsPerSequence) + a * order.rowsPerSequence;
              for (let k = 0; k < features; k++) {
                const at = pe * count + k * tokens + a;
                const value = tables[pe % cols][t * features + k];
                expect(run.memory[at]).toBe(mode === 'add' ? fp16(memory[at] + value) : value);
              }
            }
            const { compute, overhead } = CAUSE;
            expect(run.where[pe * CAUSE_COUNT + compute]).toBe(tokens * perToken);
            expect(run.where[pe * CAUSE_COUNT + overhead]).toBe(total - tokens * perToken);
          }
          expect(run.cycles).toBe(runStepped(rowStream.program(shape, machine), latencies).cycles);
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });

  test('one row with the whole stream stands for all, a cycle later each, whatever it keeps', () => {
    fc.assert(
      fc.property(fc.record({ ...extent, order: orders }), ({ rows, cols, tokens, gap, latencies, order }) => {
        const total = 2 * tokens * rows;
        const shape: RowStreamShape = { kernel: 'rowStream', rows, cols, tokens, perToken: 2, total, order, gap };
        const one = runStepped(rowStream.program({ ...shape, rows: 1 }, machine), latencies);
        const other = runStepped(rowStream.program({ ...shape, rows: 1, tokens: 1 }, machine), latencies);
        expect(other.cycles).toBe(one.cycles);
        expect(runStepped(rowStream.program(shape, machine), latencies).cycles).toBe(one.cycles + rows - 1);
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});
