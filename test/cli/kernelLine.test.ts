// Lines of `emulate kernel` that its vectors do not show: a deadlock, the fold of rows, and cases that are too long.

import { expect, test } from 'vitest';
import { z } from 'zod';
import { lineOf } from '../../cli/kernel/line.ts';
import { timeCase } from '../../cli/kernel/timing.ts';
import { CAUSE_COUNT, CAUSES } from '../../emulator/program/causes.ts';
import { emulate, folderWith } from './emulated.ts';

const machine = { rampLatency: 2, routerBuffer: 2, inputQueue: 6, outputQueue: 6, creditLatency: 1, resultLatency: 1 };
const spmm = {
  kernel: 'spmm',
  rows: 2,
  cols: 2,
  tokens: 4,
  accumulators: 1,
  gap: [1, 1],
  axpyOverhead: 5,
  controlSlots: 1,
  simd: 4,
  psumPerWavelet: 2,
} as const;

test('a deadlock is a line like any other', () => {
  const deadlock = { engine: 'stepped', path: 'stepped mesh', why: 'deadlock in spmm', cycles: 'deadlock' } as const;
  expect(JSON.parse([...lineOf(deadlock)].join(''))).toEqual({ ...deadlock, where: [] });
});

test('pieces make one line, PEs by ring position and then by row', () => {
  const nnz = Uint16Array.of(1, 2, 0, 1);
  const timing = timeCase({ ...spmm, features: 2, nnz, latencies: machine }, 'auto');
  if (timing.cycles === 'deadlock') throw new Error('this one ends');
  expect(timing.where).toHaveLength(CAUSE_COUNT * 2 * (timing.folded ? 1 : 2));
  const text = [...lineOf(timing)].join('');
  expect(text.indexOf('\n')).toBe(text.length - 1);
  const { where } = z.object({ where: z.array(z.record(z.string(), z.number())) }).parse(JSON.parse(text));
  expect(where).toHaveLength(4);
  for (const causes of where) {
    expect(Object.keys(causes)).toEqual([...CAUSES]);
    expect(Object.values(causes).reduce((sum, cycles) => sum + cycles)).toBe(timing.cycles);
  }
  expect(where[1].waitWeights).toBe(where[0].waitWeights + 1);
});

test('a case beyond 32 bits of cycles is refused, not counted wrongly', async () => {
  const long = { ...spmm, machine, tokens: 65_535, simd: 1, nnz: [[65_535, 65_535]] };
  const folder = folderWith({ 'long.json': long });
  const { code, out, err } = await emulate(['kernel', '--spec', `${folder}/long.json`]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain('for one kernel');
});

test('a matmul is on one row, dense and with 8 accumulators unless it says otherwise', async () => {
  const short = ['kernel', 'spmm', '--cols', '8', '--in', '64', '--out', '32', '--tokens', '16', '--json', '-'];
  const long = [...short, '--rows', '1', '--sparsity', '0', '--accumulators', '8', '--seed', '1', '--engine', 'auto'];
  const { code, out } = await emulate(short);
  expect(code).toBe(0);
  expect(await emulate(long)).toEqual({ code: 0, out, err: '' });
});
