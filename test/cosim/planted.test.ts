// Can the comparison fail? One parameter of the fast engine's side is off by one; among a batch of cases every path must
// then be seen to differ from the stepped engine.

import { describe, expect, test } from 'vitest';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { type Counts, firstDifference, foldedCounts, rowPaths, stepped } from './agreement.ts';
import { faults } from './faults.ts';

const shapes = Array.from({ length: 120 }, (_, i) => spmmCase(i + 1)).filter(({ features }) => features > 1);
const judged = new Map<SpmmShape, Counts>();

/** The stepped engine's counts, computed once a shape. */
function judge(shape: SpmmShape): Counts {
  const counts = judged.get(shape) ?? stepped(shape);
  judged.set(shape, counts);
  return counts;
}

describe.each(rowPaths.map((path) => [path.name, path] as const))('%s', (_, path) => {
  test.each(Object.entries(faults))('%s off by one', (_, fault) => {
    const seen = shapes.some((shape) => {
      const wrong = fault(shape);
      if (!path.holds(shape) || !path.holds(wrong)) return false;
      const row = path.run(wrong);
      return row !== undefined && firstDifference(judge(shape), foldedCounts(row, wrong.rows), shape) !== undefined;
    });
    expect(seen).toBe(true);
  });
});
