// The tables of a sweep: CSV and JSON lines say the same, and the terminal's fits.

import { Chalk } from 'chalk';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { EXIT } from '../../emulator/errors.ts';
import type { Varied } from '../../sweep/grid.ts';
import type { Measured } from '../../sweep/measured.ts';
import type { Row } from '../../sweep/sweep.ts';
import { csvOf, jsonLinesOf } from '../../sweep/tables.ts';
import { failuresOf, sweepTable } from '../../sweep/terminal.ts';

const plain = new Chalk({ level: 0 });

const measured: Measured = {
  cycles: 12_512_484,
  seconds: 0.01472,
  tokensPerSecond: 8.904e6,
  overDenseWafer: 1.44,
  ideal: null,
  overGpu: 13.89,
  utilisation: 0.267,
  boundBy: 'load imbalance',
  columns: 147,
  tokensPerPe: 56,
  accumulators: 8,
  result: '0123456789abcdef'.repeat(4),
};

function varied(fields: Readonly<Record<string, unknown>>): Varied[] {
  return Object.entries(fields).map(([path, value]) => ({ path, value, text: JSON.stringify(value) }));
}

function rowOf(fields: Readonly<Record<string, unknown>>): Row {
  return { varied: varied(fields), key: 'fedcba9876543210'.repeat(4), outcome: { measured } };
}

function badRow(fields: Readonly<Record<string, unknown>>, message: string): Row {
  return { varied: varied(fields), key: null, outcome: { failure: { code: EXIT.doesNotFit, message } } };
}

/** The cells of RFC 4180. */
function parsed(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    rows[rows.length - 1].push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

const scalar = z.union([z.string(), z.number(), z.null()]);
const line = z.object({ vary: z.record(z.string(), scalar) }).catchall(scalar);

test('CSV and JSON lines have the same fields, in the same order', () => {
  const rows = [rowOf({ sparsity: 0.5, name: 'a, "b"' }), badRow({ sparsity: 2, name: 'c\nd' }, 'line 1\n  line, 2')];
  const [head, ...lines] = parsed(csvOf(rows));
  const objects = jsonLinesOf(rows)
    .trimEnd()
    .split('\n')
    .map((each): unknown => JSON.parse(each));
  expect(head).toEqual(['sparsity', 'name', ...Object.keys(measured), 'point', 'exit', 'error']);
  for (const [i, cells] of lines.entries()) {
    const { vary, ...rest } = line.parse(objects[i]);
    const texts = Object.entries({ ...vary, ...rest }).map(([name, value]) => [name, value === null ? '' : `${value}`]);
    expect(head.map((name, j) => [name, cells[j]])).toEqual(texts);
  }
  expect(lines[1].slice(0, 3)).toEqual(['2', 'c\nd', '']);
  expect(lines[1].at(-1)).toBe('line 1\n  line, 2');
});

describe('on a terminal', () => {
  test.each([1, 2, 3, 5, 8, 20, 60])('%i fields fit in 100 columns', (fields) => {
    const names = Array.from({ length: fields }, (_, i) => [
      `machine.core.aConstantWithALongName${i}`,
      `a value of some length, the ${i}th`,
    ]);
    const rows = [rowOf(Object.fromEntries(names)), badRow(Object.fromEntries(names), 'no')];
    const lines = sweepTable(rows, plain).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(lines[0]).toContain('cycles');
    expect(lines[1]).toContain(measured.cycles.toLocaleString('en-US'));
    expect(lines[2]).toContain('exit 3');
  });

  test('fields are called by as much of their path as tells them apart', () => {
    const row = rowOf({ 'machine.fabric.width': 10, width: 64, 'machine.core.simdFp16': 4, 'workload.batch': 2 });
    expect(sweepTable([row], plain)).toMatch(/^fabric\.width +width +simdFp16 +batch +cycles/);
  });

  test('of many points the first hundred are shown', () => {
    const rows = Array.from({ length: 130 }, (_, i) => rowOf({ x: i }));
    const lines = sweepTable(rows, plain).trimEnd().split('\n');
    expect(lines).toHaveLength(102);
    expect(lines[100]).toMatch(/^ *99 /);
    expect(lines[101]).toBe('and 30 more in results.csv');
  });

  test('control characters of a value do not reach it', () => {
    expect(sweepTable([rowOf({ name: 'a\u001b[2Jb' })], plain)).toContain('a [2Jb');
  });

  test('failures are listed with the exit code of the first', () => {
    const bad = Array.from({ length: 14 }, (_, i) => badRow({ x: i }, `why ${i}\n  more of it`));
    expect(failuresOf([rowOf({ x: 0 })])).toBeUndefined();
    expect(failuresOf([rowOf({ x: 0 }), ...bad.slice(0, 2)])).toEqual({
      code: EXIT.doesNotFit,
      message: '2 of 3 points failed (in full in results.csv)\nx=0: exit 3: why 0\nx=1: exit 3: why 1',
    });
    expect(failuresOf(bad)?.message.split('\n').at(-1)).toBe('and 2 more');
  });
});
