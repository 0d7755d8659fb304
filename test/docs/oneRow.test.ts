// examples/01-one-row: its tables are those of a run, and the numbers of its text those of the runs that it speaks of.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { WSE2 } from '../fixtures/machines.ts';
import { causeTable, cycleTable, journeyTable } from './oneRow.ts';

const folder = new URL('../../examples/01-one-row/', import.meta.url);
const readme = readFileSync(new URL('README.md', folder), 'utf8');
const whole = z.int().min(0);
const { nnz, machine, ...sizes } = z
  .object({
    machine: z.object({
      rampLatency: whole,
      routerBuffer: whole,
      inputQueue: whole,
      outputQueue: whole,
      creditLatency: whole,
      resultLatency: whole,
    }),
    rows: whole,
    cols: whole,
    tokens: whole,
    nnz: z.array(z.array(whole)),
    accumulators: whole,
    gap: z.tuple([whole, whole]),
    axpyOverhead: whole,
    controlSlots: whole,
    simd: whole,
    psumPerWavelet: whole,
  })
  .parse(JSON.parse(readFileSync(new URL('spec.json', folder), 'utf8')));
const shape: SpmmShape = { ...sizes, features: nnz.length, nnz: Uint16Array.from(nnz.flat()), latencies: machine };

function cycles(change: Partial<SpmmShape> = {}): number {
  return timeSpmm({ ...shape, ...change }, 'stepped').cycles;
}

test('the machine of the case is a WSE-2', () => expect(shape.latencies).toEqual(WSE2));

test('the README has the tables of the run', () => {
  for (const table of [cycleTable(shape), journeyTable(shape), causeTable(shape)]) expect(readme).toContain(table);
});

test('the numbers of its text are those of the runs', () => {
  expect(cycles()).toBe(46);
  expect(readme).toContain('It takes 46 cycles');
  expect(cycles({ accumulators: 2 })).toBe(41);
  expect(readme).toContain('set `accumulators` to 2: 41 cycles');
  expect(cycles({ axpyOverhead: 0 })).toBe(36);
  expect(readme).toContain('Set `axpyOverhead` to 0: 36.');
  expect(cycles({ rows: 4 })).toBe(49);
  expect(readme).toContain('Set `rows` to 4: 49');
  expect(cycles({ nnz: shape.nnz.map(() => 2) })).toBe(60);
  expect(readme).toContain('saved 14 of 60 cycles');
});
