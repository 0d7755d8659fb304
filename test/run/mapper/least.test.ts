// Least cycles: never above what the exact engine gives, kernel by kernel, on any machine; and near it where a model is large
// enough to be bound by its slots.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lower } from '../../../compiler/lower/lower.ts';
import { placeGraph } from '../../../compiler/lower/placement.ts';
import type { Program } from '../../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../../compiler/mapping/fit.ts';
import type { Machine } from '../../../emulator/machine/spec.ts';
import { countCells } from '../../../kernels/spmm/counts.ts';
import { columnTotals, nonZerosByInput } from '../../../run/mapper/columnTotals.ts';
import { leastCyclesOn } from '../../../run/mapper/least.ts';
import { isFolded, timeStep } from '../../../run/step.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from '../tiny.ts';

interface Drawn {
  readonly base: Readonly<Record<string, unknown>>;
  readonly sparsity: number;
  readonly seed: number;
  readonly batch: number;
  readonly sequence: number;
  readonly C: number;
  readonly T: number;
  readonly K: number;
  readonly accumulate: 'fp16' | 'fp32';
  readonly causal: boolean;
  readonly rampLatency: number;
  readonly resultLatency: number;
  readonly axpyOverhead: number;
  readonly bitsPerSecond: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  base: fc.constantFrom(gptLike, llamaLike, gptJLike, { kind: 'matmul', in: 70, out: 41 }),
  sparsity: fc.constantFrom(0, 0.3, 0.9, 1),
  seed: fc.integer({ min: 0, max: 1000 }),
  batch: fc.integer({ min: 1, max: 6 }),
  sequence: fc.integer({ min: 1, max: 20 }),
  C: fc.integer({ min: 1, max: 24 }),
  T: fc.integer({ min: 2, max: 20 }),
  K: fc.integer({ min: 1, max: 9 }),
  accumulate: fc.constantFrom('fp16', 'fp32'),
  causal: fc.boolean(),
  rampLatency: fc.integer({ min: 1, max: 3 }),
  resultLatency: fc.integer({ min: 0, max: 3 }),
  axpyOverhead: fc.integer({ min: 0, max: 6 }),
  bitsPerSecond: fc.constantFrom(0.85e9 * 32, 0.85e9 * 32 * 3, 1.2e12),
});

function machineOf({ rampLatency, resultLatency, axpyOverhead, bitsPerSecond }: Drawn): Machine {
  const wafer = waferOf(24, 20);
  return {
    ...wafer,
    fabric: { ...wafer.fabric, rampLatency },
    core: { ...wafer.core, resultLatency, axpyOverhead, outputQueue: 12, inputQueue: 12 },
    edge: { ...wafer.edge, bitsPerSecond },
  };
}

function programOf(each: Drawn): Program {
  const { base, sparsity, seed, batch, sequence, C, T, K, accumulate, causal } = each;
  const machine = machineOf(each);
  const graph = graphOf({ ...base, sparsity: { value: sparsity, seed } }, batch, sequence);
  const request = { ...anyMapping, accumulate, causal };
  const fit = fitMapping(graph, machine, request, { columns: C, tokensPerPe: T, accumulators: K });
  if (isMisfit(fit)) throw new Error(fit.what);
  return lower(placeGraph(graph, machine, { ...fit, keyBlock: Math.min(fit.keyBlock, 7) }));
}

test('no kernel takes less', () => {
  fc.assert(
    fc.property(drawn, (each) => {
      const { operators, machine, mapping } = programOf(each);
      const least = leastCyclesOn(machine);
      for (const step of operators.flatMap(({ steps }) => steps)) {
        const { cycles } = timeStep(step.shape, machine);
        const folds = isFolded(step.shape.kernel) ? mapping.rows - 1 : 0;
        const exact = machine.core.kernelStart + cycles + folds;
        expect(least(step, mapping.rows), JSON.stringify(step.shape)).toBeLessThanOrEqual(exact);
      }
    }),
    { seed: 11, numRuns: 150 },
  );
});

test('a matmul with much to do takes hardly more', () => {
  const graph = graphOf({ kind: 'matmul', in: 600, out: 500, sparsity: 0.5 }, 32, 32);
  const machine = waferOf(40, 32);
  const fit = fitMapping(graph, machine, anyMapping, { columns: 30, tokensPerPe: 64, accumulators: 64 });
  if (isMisfit(fit)) throw new Error(fit.what);
  const [{ steps }] = lower(placeGraph(graph, machine, fit)).operators;
  const exact = machine.core.kernelStart + timeStep(steps[0].shape, machine).cycles + fit.rows - 1;
  const least = leastCyclesOn(machine)(steps[0], fit.rows);
  expect(least).toBeGreaterThan(0.97 * exact);
  expect(least).toBeLessThanOrEqual(exact);
});

describe('non-zeros of columns', () => {
  test('are those of the cells that the engines count', () => {
    fc.assert(
      fc.property(drawn, (each) => {
        const totalsOf = columnTotals();
        for (const { shape } of programOf(each).operators.flatMap(({ steps }) => steps)) {
          if (shape.kernel !== 'spmm') continue;
          const { weights, cols } = shape;
          const cells = countCells(weights, cols);
          const totals = Array.from({ length: cols }, () => 0);
          cells.forEach((count, i) => (totals[i % cols] += count));
          const { most, fewest, features } = totalsOf(shape);
          expect(features * cols).toBe(cells.length);
          expect(most).toBe(Math.max(...totals));
          expect(fewest).toBeLessThanOrEqual(Math.min(...totals));
        }
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  test('counters are emptied before they overflow', () => {
    const mask = { name: 'm', seed: 3, sparsity: 0, rows: 700, width: 70 };
    const rows = Array.from({ length: 700 }, (_, i) => i);
    expect(Array.from(nonZerosByInput(mask, rows))).toEqual(Array.from({ length: 70 }, () => 700));
    expect(nonZerosByInput({ ...mask, sparsity: 1 }, rows).every((count) => count === 0)).toBe(true);
  });
});
