// The sparse matmul by the fast engine against the stepped engine: cycles, and every cause of every PE of every row. Each
// path is also asked by itself wherever it may be taken, not only where it would be chosen.

import { expect, test } from 'vitest';
import { emptyRuns } from '../../emulator/streamed/certificate.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { draws } from '../fixtures/draws.ts';
import { WSE2 } from '../fixtures/machines.ts';
import { describeCase, emptyRunCase, largeCase, spmmCase } from '../fixtures/spmmCases.ts';
import { countsOf, firstDifference, foldedCounts, rowPaths, stepped } from './agreement.ts';
import { seedsFor, shareOf, tell } from './tier.ts';

interface Agreement {
  readonly chosen: string;
  readonly answered: readonly string[];
}

/** Compares all answers for a shape; returns the path that was chosen and those that gave an answer. */
function expectAgreement(shape: SpmmShape, name: string): Agreement {
  const judge = stepped(shape);
  const auto = timeSpmm(shape, 'auto');
  expect(firstDifference(judge, countsOf(auto), shape), `${auto.path}, ${name}`).toBeUndefined();
  const answered: string[] = [];
  for (const path of rowPaths) {
    const row = path.holds(shape) ? path.run(shape) : undefined;
    if (row === undefined) continue;
    expect(firstDifference(judge, foldedCounts(row, shape.rows), shape), `${path.name}, ${name}`).toBeUndefined();
    answered.push(path.name);
  }
  return { chosen: auto.path, answered };
}

/** Cases by the path that was chosen, and by each that gave an answer. */
function tally() {
  const chosen: Record<string, number> = {};
  const answered: Record<string, number> = {};
  const add = (agreement: Agreement): void => {
    chosen[agreement.chosen] = (chosen[agreement.chosen] ?? 0) + 1;
    for (const name of agreement.answered) answered[name] = (answered[name] ?? 0) + 1;
  };
  return { chosen, answered, add };
}

const random = seedsFor(1000, 12_000);

test('random cases', { timeout: random.timeout }, () => {
  const { chosen, answered, add } = tally();
  for (const seed of random.seeds) {
    const shape = spmmCase(seed);
    add(expectAgreement(shape, describeCase(seed, shape)));
  }
  tell('random cases', { chosen, answered });
  // Every path is chosen, and asked, often enough to be believed.
  for (const path of ['closed form', 'token level', 'lookahead'])
    expect(chosen[path], `${path} of ${JSON.stringify(chosen)}`).toBeGreaterThan(shareOf(random.seeds, 0.03));
  for (const { name } of rowPaths)
    expect(answered[name], `${name} of ${JSON.stringify(answered)}`).toBeGreaterThan(shareOf(random.seeds, 0.2));
});

const emptyRunSeeds = seedsFor(250, 5000);

test('runs of empty cells, where the closed form is left and entered again', { timeout: emptyRunSeeds.timeout }, () => {
  const { chosen, answered, add } = tally();
  let reentered = 0;
  for (const seed of emptyRunSeeds.seeds) {
    const shape = emptyRunCase(seed);
    const agreement = expectAgreement(shape, `empty runs, ${describeCase(seed, shape)}`);
    const late = emptyRuns(shape).some((runs) => runs.some(({ from }) => from > shape.accumulators));
    if (agreement.chosen === 'closed form' && late) reentered++;
    add(agreement);
  }
  tell('runs of empty cells', { chosen, answered, reentered });
  expect(reentered).toBeGreaterThan(shareOf(emptyRunSeeds.seeds, 0.3));
});

const large = seedsFor(6, 150);

test('random cases on 1 x 256 and 64 x 64 PEs', { timeout: large.timeout }, () => {
  const { chosen, answered, add } = tally();
  for (const seed of large.seeds) {
    const shape = seed % 2 === 0 ? largeCase(seed, 1, 256) : largeCase(seed, 64, 64);
    add(expectAgreement(shape, `large, ${describeCase(seed, shape)}`));
  }
  tell('1 x 256 and 64 x 64', { chosen, answered });
  expect(Object.keys(answered).length).toBe(rowPaths.length);
});

/** A regular case of the WSE-2 at a size beyond the random ones. */
function regularCase(seed: number, rows: number, cols: number, features: number, most: number): SpmmShape {
  const { int } = draws(seed);
  return {
    rows,
    cols,
    features,
    tokens: 32,
    nnz: Uint16Array.from({ length: features * cols }, () => int(0, most)),
    accumulators: 2,
    gap: [Math.max(44, cols), 44],
    axpyOverhead: 5,
    controlSlots: 1,
    simd: 4,
    psumPerWavelet: 2,
    latencies: WSE2,
  };
}

test.each([
  ['1 x 256', regularCase(1, 1, 256, 20, 4), 'closed form'],
  ['64 x 64', regularCase(2, 64, 64, 8, 6), 'closed form'],
  ['4 x 96, weights late', { ...regularCase(3, 4, 96, 40, 1), gap: [40, 1] as const }, 'token level'],
  ['2 x 128, few tokens', { ...regularCase(4, 2, 128, 30, 5), tokens: 15 }, 'lookahead'],
  ['2 x 64, hardly any tokens', { ...regularCase(5, 2, 64, 30, 5), tokens: 4 }, 'lookahead'],
])('a row or mesh of %s', (_, shape, path) => {
  expect(expectAgreement(shape, describeCase(0, shape)).chosen).toBe(path);
});
