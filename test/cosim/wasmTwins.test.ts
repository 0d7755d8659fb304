// The WebAssembly kernels against their TypeScript twins: same bits, same cycles, same causes.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closedRow, closedRowPlain, tokenRow, tokenRowPlain, whyNotClosed } from '../../emulator/streamed/row.ts';
import { sumOfLargest, sumOfLargestPlain } from '../../emulator/streamed/most.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { countCells, countCellsPlain } from '../../kernels/spmm/counts.ts';
import type { Layout } from '../../kernels/spmm/layout.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';

const seed = 20261123;

const strided = (features: number): Layout => ({ kind: 'strided', features });

function same(a: Uint16Array, b: Uint16Array): boolean {
  return a.length === b.length && a.every((count, i) => count === b[i]);
}

describe('cell counts', () => {
  const sizes = fc.record({
    name: fc.string(),
    seed: fc.integer({ min: 0, max: 1e6 }),
    sparsity: fc.oneof(fc.constantFrom(0, 0.5, 0.75, 0.875, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    cols: fc.integer({ min: 1, max: 300 }),
    width: fc.integer({ min: 1, max: 900 }),
    rows: fc.integer({ min: 1, max: 12 }),
  });

  test('strided layouts of any width give the same counts', () => {
    fc.assert(
      fc.property(sizes, ({ name, seed: maskSeed, sparsity, cols, width, rows }) => {
        const mask = { name, seed: maskSeed, sparsity, rows, width };
        const weights = { mask, input: strided(width), output: strided(rows) };
        expect(same(countCells(weights, cols), countCellsPlain(weights, cols))).toBe(true);
      }),
      { seed, numRuns: 300 },
    );
  });

  test('head layouts of input and output give the same counts', () => {
    const heads = fc.record({ heads: fc.integer({ min: 1, max: 6 }), half: fc.integer({ min: 1, max: 10 }) });
    fc.assert(
      fc.property(sizes, heads, ({ seed: maskSeed, sparsity, cols }, { heads: count, half }) => {
        const byHead = { kind: 'heads', heads: count, headDim: 2 * half, pairs: true } as const;
        const width = count * 2 * half;
        const mask = { name: 'heads', seed: maskSeed, sparsity, rows: 3 * width, width };
        const weights = {
          mask,
          input: { ...byHead, parts: [count] },
          output: { ...byHead, parts: [count, count, count] },
        };
        expect(same(countCells(weights, cols), countCellsPlain(weights, cols))).toBe(true);
      }),
      { seed, numRuns: 100 },
    );
  });

  test('a cell of more than 255 weights is counted in full', () => {
    const mask = { name: 'tall', seed: 1, sparsity: 0.1, rows: 2, width: 12_288 };
    const weights = { mask, input: strided(12_288), output: strided(2) };
    const counts = countCells(weights, 8);
    expect(Math.max(...counts)).toBeGreaterThan(1000);
    expect(same(counts, countCellsPlain(weights, 8))).toBe(true);
  });
});

test('the closed forms and the token level of a row are the same in both, runs of empty cells included', () => {
  let closed = 0;
  const shapes = fc
    .record({
      cols: fc.integer({ min: 1, max: 14 }),
      features: fc.integer({ min: 1, max: 60 }),
      tokens: fc.integer({ min: 31, max: 80 }),
      accumulators: fc.integer({ min: 1, max: 6 }),
      gap: fc.constantFrom([1, 1] as const, [3, 2] as const, [17, 8] as const, [40, 1] as const),
      axpyOverhead: fc.integer({ min: 0, max: 7 }),
      controlSlots: fc.integer({ min: 1, max: 3 }),
      empty: fc.double({ min: 0, max: 0.9, noNaN: true }),
      cells: fc.infiniteStream(fc.record({ draw: fc.double({ min: 0, max: 1, noNaN: true }), weights: fc.nat(6) })),
    })
    .map(({ empty, cells, ...sizes }): SpmmShape => {
      const nnz = Uint16Array.from({ length: sizes.cols * sizes.features }, () => {
        const { draw, weights } = cells.next().value;
        return draw < empty ? 0 : weights;
      });
      const latencies = {
        rampLatency: 2,
        routerBuffer: 2,
        inputQueue: 6,
        outputQueue: 6,
        creditLatency: 1,
        resultLatency: 1,
      };
      return { ...sizes, rows: 1, nnz, simd: 4, psumPerWavelet: 2, latencies };
    });
  fc.assert(
    fc.property(shapes, (shape) => {
      fc.pre(whyNotClosed(shape) === undefined);
      const plain = closedRowPlain(shape);
      if (plain !== undefined) closed++;
      expect(closedRow(shape)).toEqual(plain);
      expect(tokenRow(shape)).toEqual(tokenRowPlain(shape));
    }),
    { seed, numRuns: 300 },
  );
  expect(closed).toBeGreaterThan(100);
});

test('the largest cells of all features come to the same sum', () => {
  for (let k = 0; k < 200; k++) {
    const shape = spmmCase(seed + k);
    expect(sumOfLargest(shape)).toBe(sumOfLargestPlain(shape));
  }
});
