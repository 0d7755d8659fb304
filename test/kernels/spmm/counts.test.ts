// Non-zeros per cell against the mask itself, weight by weight: every kept weight is counted once, at the ring position
// that holds its input feature and in the place in the stream of its output feature.

import { describe, expect, test } from 'vitest';
import { columnOf } from '../../../emulator/program/ring.ts';
import { countCells, countCellsPlain } from '../../../kernels/spmm/counts.ts';
import {
  featureCount,
  type Layout,
  localFeatures,
  placeOf,
  placesOf,
  streamOrder,
} from '../../../kernels/spmm/layout.ts';
import { type Mask, maskRow, maskSource } from '../../../kernels/spmm/mask.ts';

const heads = (count: number, headDim: number, parts: readonly number[], pairs = false): Layout => {
  return { kind: 'heads', heads: count, headDim, pairs, parts };
};
const strided = (features: number): Layout => ({ kind: 'strided', features });

/** Is the weight from input k to output feature n kept? */
function keptWeights(mask: Mask): (n: number, k: number) => boolean {
  const source = maskSource(mask);
  const words = new Int32Array(source.wordsPerRow);
  let row = -1;
  return (n, k) => {
    if (n !== row) maskRow(source, n, words);
    row = n;
    return ((words[k >> 5] >>> (k & 31)) & 1) === 1;
  };
}

const layouts: readonly (readonly [string, Layout, Layout])[] = [
  ['strided to strided', strided(101), strided(64)],
  ['strided to heads, three parts', strided(48), heads(4, 12, [4, 4, 4])],
  ['strided to heads with shared keys and values', strided(48), heads(4, 12, [4, 2, 2], true)],
  ['heads to strided', heads(6, 8, [6]), strided(50)],
  ['heads of pairs to strided', heads(3, 10, [3], true), strided(30)],
];

describe.each(layouts)('%s', (_, input, output) => {
  test.each([1, 2, 5, 8, 33])('on %i columns', (cols) => {
    for (const sparsity of [0, 0.5, 0.9, 1]) {
      const mask = { name: 'w', seed: 3, sparsity, rows: featureCount(output), width: featureCount(input) };
      const kept = keptWeights(mask);
      const { rows: order } = streamOrder(output, cols);
      const { position } = placeOf(input, cols);
      const expected = new Uint16Array(order.length * cols);
      order.forEach((n, i) => {
        if (n < 0) return;
        for (let k = 0; k < mask.width; k++) if (kept(n, k)) expected[i * cols + position[k]]++;
      });
      expect(countCells({ mask, input, output }, cols)).toEqual(expected);
      expect(countCellsPlain({ mask, input, output }, cols)).toEqual(expected);
    }
  });
});

describe.each(layouts)('transposed, %s', (_, output, input) => {
  test.each([1, 2, 5, 8, 33])('on %i columns', (cols) => {
    for (const sparsity of [0, 0.5, 0.9, 1]) {
      // What streams are the columns of the mask, of which none is repeated.
      const mask = { name: 'w', seed: 3, sparsity, rows: featureCount(input), width: featureCount(output) };
      const kept = keptWeights(mask);
      const order = streamOrder(output, cols).rows;
      const expected = new Uint16Array(order.length * cols);
      placesOf(input, cols).forEach((row, place) => {
        if (row < 0) return;
        order.forEach((k, n) => {
          if (k >= 0 && kept(row, k)) expected[n * cols + (place % cols)]++;
        });
      });
      const weights = { mask, input, output, transposed: true } as const;
      expect(countCells(weights, cols)).toEqual(expected);
      expect(countCellsPlain(weights, cols)).toEqual(expected);
    }
  });
});

describe('layouts', () => {
  test('strided: feature k at ring position k mod C', () => {
    const { position, local } = placeOf(strided(20), 6);
    expect([...position]).toEqual(Array.from({ length: 20 }, (_, k) => k % 6));
    expect([...local]).toEqual(Array.from({ length: 20 }, (_, k) => Math.floor(k / 6)));
    expect(localFeatures(strided(20), 6)).toBe(4);
  });

  test.each([1, 2, 3, 4, 7, 12, 40])(
    'heads on %i columns: every feature in one place, a head on neighbouring columns',
    (cols) => {
      const layout = heads(4, 6, [4, 4, 4]);
      const { position, local } = placeOf(layout, cols);
      const places = Array.from(position, (p, feature) => `${p} ${local[feature]}`);
      expect(new Set(places).size).toBe(72);
      expect(Math.max(...local)).toBeLessThan(localFeatures(layout, cols));
      for (let head = 0; head < 12; head++) {
        const columns = Array.from({ length: 6 }, (_, f) => columnOf(position[head * 6 + f], cols));
        for (let f = 1; f < 6; f++) expect(columns[f] - columns[f - 1]).toBeOneOf([0, 1]);
      }
      // Query, key and value of a feature share a column, where their product is taken.
      for (let f = 0; f < 24; f++) expect([position[24 + f], position[48 + f]]).toEqual([position[f], position[f]]);
    },
  );

  test.each([1, 2, 3, 5, 8, 13, 40])(
    'streamed on %i columns: every feature where it lies, no two ends alike',
    (cols) => {
      const twoParts: Layout = { kind: 'strided', features: 26, parts: 2 };
      for (const layout of [strided(21), twoParts, heads(4, 6, [4, 4, 4]), heads(1, 5, [1], true)]) {
        const places = placesOf(layout, cols);
        const { rows, ends, locals } = streamOrder(layout, cols);
        expect(rows.filter((row) => row >= 0)).toEqual(places.filter((feature) => feature >= 0));
        rows.forEach((row, n) => {
          expect(places[locals[n] * cols + ends[n]]).toBe(row);
          if (cols > 1 && n > 0) expect(ends[n]).not.toBe(ends[n - 1]);
        });
        // At most one empty row where a part ends.
        expect(rows.length - rows.filter((row) => row >= 0).length).toBeLessThanOrEqual(localFeatures(layout, cols));
      }
    },
  );

  test('shared key and value heads are streamed once for each query head that uses them', () => {
    const { rows: order } = streamOrder(heads(4, 2, [4, 2, 1]), 3);
    const times = new Int32Array(14);
    for (const feature of order) if (feature >= 0) times[feature]++;
    expect([...times]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4]);
  });
});
