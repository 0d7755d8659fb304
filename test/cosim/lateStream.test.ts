// Streams that bring a weight just in time or just too late: where the certificate of the closed form is worth most, and
// where it must not be believed too long.

import { expect, test } from 'vitest';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { describeCase, lateStreamCase } from '../fixtures/spmmCases.ts';
import { countsOf, firstDifference, foldedCounts, rowPaths, stepped } from './agreement.ts';
import { seedsFor, shareOf, tell } from './tier.ts';

const late = seedsFor(150, 5000);

test('streams near the limit', { timeout: late.timeout }, () => {
  const chosen: Record<string, number> = {};
  const answered: Record<string, number> = {};
  let waited = 0;
  for (const seed of late.seeds) {
    const shape = lateStreamCase(seed);
    const judge = stepped(shape);
    const auto = timeSpmm(shape, 'auto');
    const name = `late stream, ${describeCase(seed, shape)}`;
    expect(firstDifference(judge, countsOf(auto), shape), `${auto.path}, ${name}`).toBeUndefined();
    for (const path of rowPaths) {
      const row = path.holds(shape) ? path.run(shape) : undefined;
      if (row === undefined) continue;
      expect(firstDifference(judge, foldedCounts(row, shape.rows), shape), `${path.name}, ${name}`).toBeUndefined();
      answered[path.name] = (answered[path.name] ?? 0) + 1;
    }
    chosen[auto.path] = (chosen[auto.path] ?? 0) + 1;
    if (shape.gap[0] > shape.controlSlots * shape.gap[1] && auto.path === 'closed form') waited++;
  }
  tell('streams near the limit', { chosen, answered, waited });
  for (const path of ['closed form', 'token level'])
    expect(chosen[path], `${path} of ${JSON.stringify(chosen)}`).toBeGreaterThan(shareOf(late.seeds, 0.15));
  // In these a control wavelet costs the stream more time than the core.
  expect(waited).toBeGreaterThan(shareOf(late.seeds, 0.15));
});
