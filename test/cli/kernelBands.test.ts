// `emulate kernel --engine stepped --workers N`: a mesh large enough for bands gives the same bytes on any number of workers.

import { expect, test } from 'vitest';
import { EXIT } from '../../emulator/errors.ts';
import { emulate } from './emulated.ts';

const mesh = '--rows 40 --cols 16 --in 64 --out 16 --tokens 20 --sparsity 0.5 --accumulators 2'.split(' ');
const line = (workers: string) =>
  emulate(['kernel', 'spmm', ...mesh, '--engine', 'stepped', '--workers', workers, '--json', '-']);

test('the line of a case is the same for 1, 2 and 3 workers', async () => {
  const one = await line('1');
  expect(one.code).toBe(0);
  expect(JSON.parse(one.out)).toMatchObject({ engine: 'stepped', path: 'stepped mesh', cycles: expect.any(Number) });
  expect(await line('2')).toEqual(one);
  expect(await line('3')).toEqual(one);
});

test('a number of workers that is none is refused', async () => {
  const { code, err } = await line('many');
  expect(code).toBe(EXIT.input);
  expect(err).toContain('--workers: got "many", allowed a whole number 1 to 1024');
});
