// Balanced zeros: as many weights as before, as evenly as whole numbers allow, feature by feature and all features together.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { balancedCells } from '../../../kernels/spmm/balanced.ts';

const cells = fc
  .integer({ min: 1, max: 9 })
  .chain((cols) =>
    fc
      .array(fc.array(fc.integer({ min: 0, max: 7 }), { minLength: cols, maxLength: cols }), { maxLength: 30 })
      .map((features) => ({ cols, features })),
  );

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

test('every feature keeps its weights, floor or ceiling of its share at each position', () => {
  fc.assert(
    fc.property(cells, ({ cols, features }) => {
      const balanced = balancedCells(Uint16Array.from(features.flat()), cols);
      expect(balanced).toHaveLength(cols * features.length);
      features.forEach((feature, n) => {
        const own = balanced.subarray(n * cols, (n + 1) * cols);
        expect(sum(own)).toBe(sum(feature));
        for (const count of own) expect([Math.floor, Math.ceil].map((f) => f(sum(feature) / cols))).toContain(count);
      });
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('at no feature have two positions had counts more than one apart', () => {
  fc.assert(
    fc.property(cells, ({ cols, features }) => {
      const balanced = balancedCells(Uint16Array.from(features.flat()), cols);
      const so = Array.from({ length: cols }, () => 0);
      features.forEach((_, n) => {
        for (let p = 0; p < cols; p++) so[p] += balanced[n * cols + p];
        expect(Math.max(...so) - Math.min(...so)).toBeLessThanOrEqual(1);
      });
    }),
    { seed: 2, numRuns: 300 },
  );
});

test('what is left over goes round the ring', () => {
  const drawn = Uint16Array.of(4, 0, 0, 0, 0, 2, 3, 3, 3);
  expect([...balancedCells(drawn, 3)]).toEqual([2, 1, 1, 0, 1, 1, 3, 3, 3]);
  expect([...drawn]).toEqual([4, 0, 0, 0, 0, 2, 3, 3, 3]);
});
