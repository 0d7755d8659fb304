// The row by looking ahead, where no other fast path goes: features of fewer partial-sum wavelets than an input queue
// holds, as decoding has them. Against the stepped engine, and against the other paths where those hold too.

import { describe, expect, test } from 'vitest';
import { lookaheadRow, lookaheadRowPlain, lookaheadRun } from '../../emulator/streamed/lookahead/row.ts';
import { psumWavelets, type SpmmShape } from '../../emulator/streamed/shape.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { draws } from '../fixtures/draws.ts';
import { WSE2 } from '../fixtures/machines.ts';
import { describeCase, emptyRunCase, spmmCase } from '../fixtures/spmmCases.ts';
import { type Counts, firstDifference, foldedCounts, rowPaths, stepped } from './agreement.ts';
import { faults } from './faults.ts';
import { seedsFor, shareOf, tell } from './tier.ts';

/** A case with features of 1 .. inputQueue - 1 partial-sum wavelets, if the queue is longer than one. */
function shorten(shape: SpmmShape, seed: number): SpmmShape {
  const { int } = draws(-seed);
  const { psumPerWavelet, latencies } = shape;
  const psums = int(1, Math.max(1, latencies.inputQueue - 1));
  return { ...shape, tokens: psums * psumPerWavelet - int(0, psumPerWavelet - 1) };
}

function difference(shape: SpmmShape, judge: Counts): string | undefined {
  return firstDifference(judge, foldedCounts(lookaheadRow(shape), shape.rows), shape);
}

const short = seedsFor(500, 8000);

test('short features: the counts of the stepped engine, and the path that is taken', { timeout: short.timeout }, () => {
  const cases: Record<number, number> = {};
  let taken = 0;
  for (const seed of short.seeds) {
    const shape = shorten(spmmCase(seed), seed);
    expect(difference(shape, stepped(shape)), describeCase(seed, shape)).toBeUndefined();
    expect(lookaheadRow(shape), 'WebAssembly against TypeScript').toEqual(lookaheadRowPlain(shape));
    const psums = psumWavelets(shape);
    cases[psums] = (cases[psums] ?? 0) + 1;
    if (timeSpmm(shape, 'auto').path === 'lookahead') taken++;
  }
  tell('short features, by partial-sum wavelets', { cases, taken });
  for (const psums of [1, 2, 3, 4, 5])
    expect(cases[psums], `${psums} of ${JSON.stringify(cases)}`).toBeGreaterThan(shareOf(short.seeds, 0.05));
  expect(taken).toBeGreaterThan(shareOf(short.seeds, 0.7));
});

const runs = seedsFor(200, 3000);

test('short features with runs of empty cells, after which the stream keeps ahead', { timeout: runs.timeout }, () => {
  let later = 0;
  for (const seed of runs.seeds) {
    const shape = shorten(emptyRunCase(seed), seed);
    expect(difference(shape, stepped(shape)), describeCase(seed, shape)).toBeUndefined();
    const { aheadFrom, ahead } = lookaheadRun(shape);
    if (aheadFrom.some((from, p) => from > 0 && ahead[p] === 1)) later++;
  }
  tell('short features with runs of empty cells', { cases: runs.seeds.length, later });
  expect(later).toBeGreaterThan(shareOf(runs.seeds, 0.1));
});

const long = seedsFor(200, 3000);

test('features of any length: the counts of every other path that holds', { timeout: long.timeout }, () => {
  const compared: Record<string, number> = {};
  let ahead = 0;
  for (const seed of long.seeds) {
    const shape = { ...spmmCase(seed), rows: 1 };
    const run = lookaheadRun(shape);
    if (run.ahead.includes(1)) ahead++;
    for (const { name, holds, run: other } of rowPaths) {
      if (name.startsWith('lookahead')) continue;
      const row = holds(shape) ? other(shape) : undefined;
      if (row === undefined) continue;
      expect(difference(shape, foldedCounts(row, 1)), `${name}, ${describeCase(seed, shape)}`).toBeUndefined();
      compared[name] = (compared[name] ?? 0) + 1;
    }
  }
  tell('looking ahead against the other paths', { compared, ahead });
  // Both of its ways are seen: walked to the end, and known to keep ahead.
  expect(ahead).toBeGreaterThan(shareOf(long.seeds, 0.3));
  expect(ahead).toBeLessThan(shareOf(long.seeds, 0.9));
  expect(compared['token level']).toBeGreaterThan(shareOf(long.seeds, 0.2));
});

/** A decoding shape, as large as the stepped engine takes in a test. */
function decoding(tokens: number, cols: number, most: number): SpmmShape {
  const { int } = draws(tokens);
  const features = 60;
  return {
    rows: 2,
    cols,
    features,
    tokens,
    nnz: Uint16Array.from({ length: features * cols }, () => int(most >> 1, most)),
    accumulators: 8,
    gap: [Math.max(44, cols), 44],
    axpyOverhead: 5,
    controlSlots: 1,
    simd: 4,
    psumPerWavelet: 2,
    latencies: WSE2,
  };
}

test.each([
  [1, 96, 12],
  [8, 96, 12],
  [1, 300, 3],
  [4, 300, 3],
])('decoding %i tokens on %i columns', (tokens, cols, most) => {
  const shape = decoding(tokens, cols, most);
  expect(difference(shape, stepped(shape))).toBeUndefined();
});

describe('a short feature with one parameter off by one is seen to differ', () => {
  const shapes = Array.from({ length: 120 }, (_, i) => shorten(spmmCase(i + 1), i + 1)).filter(
    ({ features }) => features > 1,
  );
  const judged = shapes.map((shape) => stepped(shape));
  test.each(Object.entries(faults))('%s', (_, fault) => {
    const seen = shapes.some((shape, i) => {
      const wrong = fault(shape);
      return firstDifference(judged[i], foldedCounts(lookaheadRow(wrong), wrong.rows), shape) !== undefined;
    });
    expect(seen).toBe(true);
  });
});
