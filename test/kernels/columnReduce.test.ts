// What leaves the wafer: sums over the rows by value, and the closed form of its time against the stepped engine.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latenciesOf, type Latencies, type Machine } from '../../emulator/machine/spec.ts';
import { fp16, highHalf, lowHalf, packPair, single } from '../../emulator/numerics/fp16.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { columnReduce, type ColumnReduceShape, type RowOrder } from '../../kernels/columnReduce.ts';
import { columnReduceTime } from '../../kernels/columnReduceTime.ts';
import { timeStep } from '../../run/step.ts';
import { bank, drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const gaps = fc.constantFrom<readonly [number, number]>([1, 1], [3, 2], [7, 5], [9, 2], [735, 44]);
const latencies = fc.oneof(anyLatencies, fc.constant(smallestQueues), fc.constant(latenciesOf(machine)));
const size = fc.integer({ min: 1, max: 6 });

function machineWith({ rampLatency, routerBuffer, creditLatency, ...core }: Latencies): Machine {
  const fabric = { ...machine.fabric, rampLatency, routerBuffer, creditLatency };
  return { ...machine, fabric, core: { ...machine.core, ...core } };
}

/** What leaves each column, and checks that a timing run takes the same cycles. */
function leavingOf(
  shape: ColumnReduceShape,
  order: RowOrder,
  memory: Float32Array,
  words: number,
  used: Latencies,
): Int32Array[] {
  const leaving = Array.from({ length: shape.cols }, () => new Int32Array(shape.wavelets));
  const run = runStepped(columnReduce.program(shape, machine, { words, memory, at: 0, order, leaving }), used);
  expect(runStepped(columnReduce.program(shape, machine), used).cycles).toBe(run.cycles);
  return leaving;
}

describe('values', () => {
  const drawn = fc.record({
    rows: size,
    cols: fc.integer({ min: 1, max: 3 }),
    wavelets: fc.integer({ min: 1, max: 12 }),
    gap: gaps,
    seed: fc.integer({ min: 1, max: 999 }),
    latencies,
  });

  test('sums leave in fp32, added from north to south', () => {
    fc.assert(
      fc.property(drawn, ({ rows, cols, wavelets, gap, seed, latencies }) => {
        const memory = bank(rows * cols, wavelets, (pe) => drawHalves(wavelets, seed + pe).map((x) => x / 3));
        const shape: ColumnReduceShape = { kernel: 'columnReduce', rows, cols, wavelets, gap };
        const leaving = leavingOf(shape, { by: 'sums' }, memory, wavelets, latencies);
        for (let x = 0; x < cols; x++)
          for (let i = 0; i < wavelets; i++) {
            let sum = 0;
            for (let y = 0; y < rows; y++) sum = Math.fround(sum + memory[(y * cols + x) * wavelets + i]);
            expect(single(leaving[x][i])).toBe(sum);
          }
      }),
      { seed: 41, numRuns: 80 },
    );
  });

  test('pairs leave in fp16, each half added from north to south', () => {
    fc.assert(
      fc.property(drawn, ({ rows, cols, wavelets, gap, seed, latencies }) => {
        const words = 2 * wavelets;
        const memory = bank(rows * cols, words, (pe) => drawHalves(words, seed + pe));
        const shape: ColumnReduceShape = { kernel: 'columnReduce', rows, cols, wavelets, gap };
        const leaving = leavingOf(shape, { by: 'pairs' }, memory, words, latencies);
        for (let x = 0; x < cols; x++)
          for (let i = 0; i < words; i++) {
            let sum = 0;
            for (let y = 0; y < rows; y++) sum = fp16(sum + memory[(y * cols + x) * words + i]);
            const wavelet = leaving[x][i >> 1];
            expect(i % 2 === 0 ? lowHalf(wavelet) : highHalf(wavelet)).toBe(sum);
          }
      }),
      { seed: 44, numRuns: 80 },
    );
  });

  test('rows of tokens leave in the order of the tokens, those of positions added over the sequences', () => {
    const orders = fc.record({ features: size, tokens: size, rowsPerSequence: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(drawn, orders, fc.boolean(), ({ cols, gap, seed, latencies, rows: some }, given, byTokens) => {
        const { features, tokens, rowsPerSequence } = given;
        const rows = byTokens ? some : rowsPerSequence * 2;
        const perToken = Math.ceil(features / 2);
        const length = (byTokens ? rows : rowsPerSequence) * tokens;
        const words = features * tokens;
        const memory = bank(rows * cols, words, (pe) => drawHalves(words, seed + pe));
        const order: RowOrder = byTokens
          ? { by: 'tokens', features, tokens }
          : { by: 'positions', features, tokens, rowsPerSequence };
        const shape: ColumnReduceShape = { kernel: 'columnReduce', rows, cols, wavelets: length * perToken, gap };
        const leaving = leavingOf(shape, order, memory, words, latencies);
        const value = (x: number, y: number, token: number, f: number): number =>
          f < features ? memory[(y * cols + x) * words + f * tokens + token] : 0;
        for (let x = 0; x < cols; x++)
          for (let n = 0; n < length; n++)
            for (let f = 0; f < features; f += 2) {
              const of = (k: number): number => {
                if (byTokens) return value(x, Math.floor(n / tokens), n % tokens, k);
                const [y, token] = [n % rowsPerSequence, Math.floor(n / rowsPerSequence)];
                return fp16(value(x, y, token, k) + value(x, y + rowsPerSequence, token, k));
              };
              expect(leaving[x][n * perToken + f / 2]).toBe(packPair(of(f), of(f + 1)));
            }
      }),
      { seed: 42, numRuns: 80 },
    );
  });
});

describe('time', () => {
  const drawn = fc.record({
    rows: fc.integer({ min: 1, max: 9 }),
    cols: fc.integer({ min: 1, max: 2 }),
    wavelets: fc.integer({ min: 1, max: 30 }),
    gap: gaps,
    latencies,
  });

  test('the closed form is the stepped engine, every cause of every PE', () => {
    const seen = { closed: 0, refused: 0 };
    fc.assert(
      fc.property(drawn, ({ latencies, ...extent }) => {
        const shape: ColumnReduceShape = { kernel: 'columnReduce', ...extent };
        const used = machineWith(latencies);
        const time = columnReduceTime(shape, used);
        seen[time === undefined ? 'refused' : 'closed']++;
        if (time === undefined) return;
        const run = runStepped(columnReduce.program(shape, used), latencies);
        expect(time.cycles).toBe(run.cycles);
        run.where.forEach((count, i) => {
          const y = Math.floor(i / CAUSE_COUNT / shape.cols);
          expect(time.where[y * CAUSE_COUNT + (i % CAUSE_COUNT)]).toBe(count);
        });
        // One column stands for all.
        const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
        time.where.forEach((count, i) => {
          totals[i % CAUSE_COUNT] += count;
        });
        const slots = { compute: 0, overhead: 0, reduce: shape.wavelets };
        const found = { engine: 'streamed', path: 'closed form', why: '', cycles: run.cycles };
        expect(timeStep({ ...shape, cols: 1 }, used)).toMatchObject({ ...found, pes: shape.rows, totals, slots });
      }),
      { seed: 43, numRuns: 400 },
    );
    expect(seen.closed).toBeGreaterThan(150);
    expect(seen.refused).toBeGreaterThan(30);
  });

  test('buffers too small for the pace are refused, and do hold the wavelets up', () => {
    const shape: ColumnReduceShape = { kernel: 'columnReduce', rows: 4, cols: 1, wavelets: 20, gap: [1, 1] };
    const large = { ...smallestQueues, routerBuffer: 2, inputQueue: 3, outputQueue: 4 };
    expect(columnReduceTime(shape, machineWith(large))?.cycles).toBe(
      runStepped(columnReduce.program(shape, machine), large).cycles,
    );
    for (const small of [{ routerBuffer: 1 }, { inputQueue: 2 }, { outputQueue: 3 }]) {
      const latencies = { ...large, ...small };
      expect(columnReduceTime(shape, machineWith(latencies))).toBeUndefined();
      const { cycles } = runStepped(columnReduce.program(shape, machine), latencies);
      expect(cycles).toBeGreaterThan(runStepped(columnReduce.program(shape, machine), large).cycles);
    }
  });

  test('a column of 994 rows: its last wavelet starts at the pace of the edge and goes 6 cycles a row', () => {
    const shape: ColumnReduceShape = { kernel: 'columnReduce', rows: 994, cols: 1, wavelets: 32, gap: [735, 44] };
    const time = columnReduceTime(shape, machine);
    expect(time?.cycles).toBe(Math.ceil((31 * 735) / 44) + 3 + 993 * 6 + 1);
    expect(time?.where[993 * CAUSE_COUNT + CAUSE.reduce]).toBe(32);
  });
});
