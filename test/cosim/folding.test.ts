// Rows fold: the stepped engine on several rows against itself on one, for any latencies and buffers.

import { expect, test } from 'vitest';
import { CAUSE_COUNT, CAUSES } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { foldedCycles, foldedTotals, foldedWhere } from '../../emulator/streamed/fold.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { draws } from '../fixtures/draws.ts';
import { anyLatencies } from '../fixtures/machines.ts';
import { describeCase, spmmCase } from '../fixtures/spmmCases.ts';
import { seedsFor } from './tier.ts';

const { seeds, timeout } = seedsFor(60, 1500);

test('row r does r cycles later what row 0 does', { timeout }, () => {
  for (const seed of seeds) {
    const draw = draws(seed);
    const shape = { ...spmmCase(seed), rows: draw.int(2, 7), latencies: anyLatencies(draw) };
    const { rows, cols, latencies } = shape;
    const name = describeCase(seed, shape);
    const one = runStepped(spmmProgram({ ...shape, rows: 1 }), latencies);
    const all = runStepped(spmmProgram(shape), latencies);
    expect(foldedCycles(one.cycles, rows), name).toBe(all.cycles);
    const totals = new Float64Array(CAUSE_COUNT);
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < cols; x++) {
        const where = foldedWhere(one.where, x, y, rows);
        const at = (y * cols + x) * CAUSE_COUNT;
        expect(
          CAUSES.map((cause) => where[cause]),
          `column ${x}, row ${y}, ${name}`,
        ).toEqual([...all.where.subarray(at, at + CAUSE_COUNT)]);
        for (let c = 0; c < CAUSE_COUNT; c++) totals[c] += all.where[at + c];
      }
    expect(foldedTotals(one.where, rows), name).toEqual(totals);
  }
});
