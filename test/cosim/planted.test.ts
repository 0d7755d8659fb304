// Can the comparison fail? One parameter of the fast engine's side is off by one; among a batch of cases every path must
// then be seen to differ from the stepped engine.

import { describe, expect, test } from 'vitest';
import type { Latencies } from '../../emulator/machine/spec.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { type Counts, firstDifference, foldedCounts, rowPaths, stepped } from './agreement.ts';

const latency = (name: keyof Latencies) => (shape: SpmmShape) => ({
  ...shape,
  latencies: { ...shape.latencies, [name]: shape.latencies[name] + 1 },
});

const faults: Readonly<Record<string, (shape: SpmmShape) => SpmmShape>> = {
  rows: (shape) => ({ ...shape, rows: shape.rows + 1 }),
  features: (shape) => ({ ...shape, features: shape.features - 1 }),
  tokens: (shape) => ({ ...shape, tokens: shape.tokens + 1 }),
  nnz: (shape) => ({ ...shape, nnz: shape.nnz.map((count, i) => (i === shape.nnz.length >> 1 ? count + 1 : count)) }),
  accumulators: (shape) => ({ ...shape, accumulators: shape.accumulators + 1 }),
  gap: (shape) => ({ ...shape, gap: [shape.gap[0] + 1, shape.gap[1]] }),
  axpyOverhead: (shape) => ({ ...shape, axpyOverhead: shape.axpyOverhead + 1 }),
  controlSlots: (shape) => ({ ...shape, controlSlots: shape.controlSlots + 1 }),
  simd: (shape) => ({ ...shape, simd: shape.simd + 1 }),
  psumPerWavelet: (shape) => ({ ...shape, psumPerWavelet: shape.psumPerWavelet + 1 }),
  rampLatency: latency('rampLatency'),
  routerBuffer: latency('routerBuffer'),
  inputQueue: latency('inputQueue'),
  outputQueue: latency('outputQueue'),
  creditLatency: latency('creditLatency'),
  resultLatency: latency('resultLatency'),
};

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
