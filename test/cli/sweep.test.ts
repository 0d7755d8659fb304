// `emulate sweep` from end to end: what it prints and writes, the same for any number of workers and whether it was cut off
// or not, and how it ends.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPORT_FORMAT } from '../../report/report.ts';
import { tinyFile } from '../sweep/swept.ts';
import { emulate, type Emulated, folderWith } from './emulated.ts';

function sweep(folder: string, out: string, ...more: readonly string[]): Promise<Emulated> {
  return emulate(['sweep', join(folder, 'tiny.json'), '--out', join(folder, out), ...more]);
}

function tablesOf(folder: string, out: string): string {
  return ['results.csv', 'results.jsonl'].map((name) => readFileSync(join(folder, out, name), 'utf8')).join('\n');
}

const grid = ['--vary', 'sparsity=0:0.8:0.4', '--vary', 'machine.core.simdFp16=4,8'];

test('results are the same bytes with one worker, with two, and where half of them were there', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const one = await sweep(folder, 'one', ...grid, '--workers', '1');
  const two = await sweep(folder, 'two', ...grid, '--workers', '2');
  expect([one.code, one.err, two.code]).toEqual([0, '', 0]);
  expect(tablesOf(folder, 'one').split('\n')).toHaveLength(7 + 1 + 6 + 1);
  expect(tablesOf(folder, 'two')).toBe(tablesOf(folder, 'one'));

  const files = readdirSync(join(folder, 'one')).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  expect(files).toHaveLength(6);
  for (const name of [...files.slice(0, 3), 'results.csv', 'results.jsonl']) rmSync(join(folder, 'one', name));
  const resumed = await sweep(folder, 'one', ...grid, '--workers', '2');
  expect(resumed.out).toContain('6 points, 3 of them were there; ');
  expect(tablesOf(folder, 'one')).toBe(tablesOf(folder, 'two'));
  // The table is that of the first run; only the last line tells of what was there.
  expect(resumed.out.split('\n').slice(0, 7)).toEqual(one.out.split('\n').slice(0, 7));
});

test('a point is the report that its model gives alone', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const { code, out } = await sweep(folder, 'out', '--vary', 'sparsity=0.6', '--set', 'gpu=h100');
  expect(code).toBe(0);
  expect(out).toMatch(/^sparsity +cycles/);
  const [file] = readdirSync(join(folder, 'out')).filter((name) => /^[0-9a-f]{64}/.test(name));
  const point: unknown = JSON.parse(readFileSync(join(folder, 'out', file), 'utf8'));
  const alone = await emulate([
    join(folder, 'tiny.json'),
    '--gpu',
    'h100',
    '--sparsity',
    '0.6',
    '--no-twins',
    '--json',
    '-',
  ]);
  expect(Object(point).format).toBe(REPORT_FORMAT);
  expect({ ...Object(point), run: null }).toEqual({ ...JSON.parse(alone.out), run: null });
});

test('without --out the folder is named after the model', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { out, err } = await emulate(['sweep', 'tiny.json', '--vary', 'gpu=v100,h100']);
    expect(err).toBe('');
    expect(out).toContain('2 points; tiny.sweep has results.csv');
    expect(readdirSync(join(folder, 'tiny.sweep'))).toHaveLength(4);
  } finally {
    process.chdir(before);
  }
});

test('bad points are listed, the others are done, and the exit code is that of the first bad one', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const vary = ['--vary', 'machine.memory.sramBytes=49152,4200', '--vary', 'sparsity=0.5,2'];
  const { code, out, err } = await sweep(folder, 'out', ...vary);
  expect(code).toBe(2);
  expect(out).toMatch(/4200 +0\.5 +exit 3\n +4200 +2 +exit 2\n/);
  expect(err).toMatch(/^3 of 4 points failed/);
  expect(err).toContain('machine.memory.sramBytes=49152 sparsity=2: exit 2: --vary sparsity=2: out of range, got 2');
  expect(err).toContain('machine.memory.sramBytes=4200 sparsity=0.5: exit 3: tiny does not fit');
  const lines = readFileSync(join(folder, 'out', 'results.csv'), 'utf8').split('\n');
  expect(lines[1]).toMatch(/^49152,0\.5,\d+,.*,0,$/);
  expect(lines[2]).toMatch(/^49152,2,,.*,2,"--vary sparsity=2: out of range/);
});

test('an interrupt before anything runs ends with 130 and makes no folder', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const argv = ['sweep', join(folder, 'tiny.json'), '--out', join(folder, 'out'), ...grid];
  const { code, out, err } = await emulate(argv, { signal: AbortSignal.abort() });
  expect({ code, out, err }).toEqual({ code: 130, out: '', err: 'interrupted\n' });
  expect(existsSync(join(folder, 'out'))).toBe(false);
});

describe('refused before anything runs, with 2', () => {
  test.each<[string[], string]>([
    [['--vary', 'machine.core.simdFp=4,8'], '--vary machine.core.simdFp=4: unknown key, got "simdFp"'],
    [['--vary', 'machine.core.simdFp=4,8'], 'did you mean "simdFp16"?\nnone of the 2 points is a model'],
    [['--vary', 'sparsty=0.5'], 'did you mean "sparsity"?'],
    [['--vary', 'gpu=h10'], '--vary gpu=h10: unknown value, got "h10"'],
    [['--vary', 'a.b.c.d.e=1'], '--vary: no such path, got "a.b.c.d.e=1"'],
    [['--vary', 'sparsity=0:1'], '--vary sparsity: not a range of three numbers'],
    [['--vary', 'sparsity=0.1', '--sparsity', '0.2'], '--vary: sparsity is fixed by another flag'],
    [['--vary', 'gpu=h100', '--set', 'gpu=v100'], '--vary: gpu is fixed by another flag'],
    [['--vary', 'layers=1:200:1', '--vary', 'sparsity=0:1:0.01'], 'the grid has 20,200 points, allowed 10,000'],
    [[], '--vary: missing, allowed e.g. --vary sparsity=0:0.95:0.05'],
    [['--vry', 'sparsity=0.1'], '--vry: unknown flag, did you mean "--vary"?'],
    [['--vary'], '--vary: a value is missing'],
    [['--vary', 'sparsity=0.1', '--workers', '0'], '--workers: got "0"'],
  ])('%j', async (flags, message) => {
    const folder = folderWith({ 'tiny.json': tinyFile });
    const { code, out, err } = await sweep(folder, 'out', ...flags);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  test.each([
    ['tiny.json', 'is a file, allowed a folder'],
    ['no/such/place', 'cannot be made or written'],
  ])('--out %s', async (out, message) => {
    const folder = folderWith({ 'tiny.json': tinyFile });
    const { code, err } = await sweep(folder, out, '--vary', 'sparsity=0.1');
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('a fault of the model file, located', async () => {
    const folder = folderWith({ 'tiny.json': '{\n  "preset": "gpt2-small",\n  "sparsty": 0.5\n}' });
    const { code, err } = await sweep(folder, 'out', '--vary', 'sparsity=0.1,0.2');
    expect(code).toBe(2);
    expect(err).toContain('tiny.json:3:3: unknown key, got "sparsty"');
  });
});
