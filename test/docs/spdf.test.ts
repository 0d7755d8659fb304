// examples/spdf-gpt3-xl: FLOPs of its table are those of the plans; times are those of the wafer, with WAFER_NIGHTLY=1 of
// every row and else, by the command that the example shows, of one. WAFER_UPDATE=1 writes the tables anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asking } from '../plan/planned.ts';
import { HEAD, hours, models, planAt, rowOf, sparsities, SYSTEMS_HEAD, systemsRow, thousands } from './spdfTable.ts';

const file = new URL('../../examples/spdf-gpt3-xl/README.md', import.meta.url);
const isUpdating = process.env.WAFER_UPDATE === '1';
const isWhole = isUpdating || process.env.WAFER_NIGHTLY === '1';
const TIMEOUT = 1_200_000;

/** What stands between the marks of a table. */
function spanOf(readme: string, name: string): readonly [from: number, to: number] {
  const begin = `<!-- ${name}: begin -->\n`;
  const from = readme.indexOf(begin) + begin.length;
  const to = readme.indexOf(`\n<!-- ${name}: end -->`);
  expect(to).toBeGreaterThanOrEqual(from);
  return [from, to];
}

function expectTable(name: string, lines: readonly string[]): void {
  const readme = readFileSync(file, 'utf8');
  const [from, to] = spanOf(readme, name);
  const table = `\n${lines.join('\n')}\n`;
  if (isUpdating) writeFileSync(file, readme.slice(0, from) + table + readme.slice(to));
  else expect(readme.slice(from, to)).toBe(table);
}

function shownRows(name: string): string[] {
  const readme = readFileSync(file, 'utf8');
  return readme
    .slice(...spanOf(readme, name))
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
}

const cellsOf = (line: string): string[] => line.split('|').map((cell) => cell.trim());

/** The columns that do not depend on times. */
const flops = (line: string): string[] => cellsOf(line).slice(0, 7);

test.runIf(isWhole)(
  'both tables are those of the runs',
  async () => {
    const rows: string[] = [];
    for (const model of models)
      for (const sparsity of sparsities) rows.push(rowOf(model, sparsity, await planAt(model, sparsity)));
    expectTable('spdf', [...HEAD, ...rows]);
    const scaled: string[] = [];
    for (const systems of [1, 4, 16]) scaled.push(systemsRow(systems, await planAt('gpt3-xl', 0.75, { systems })));
    expectTable('systems', [...SYSTEMS_HEAD, ...scaled]);
  },
  TIMEOUT,
);

test('FLOPs of every row are those of the plan', async () => {
  const rows = shownRows('spdf');
  const { timeStep } = asking();
  const expected: string[] = [];
  for (const model of models)
    for (const sparsity of sparsities)
      expected.push(rowOf(model, sparsity, await planAt(model, sparsity, { timeStep })));
  expect(rows.map(flops)).toEqual(expected.map(flops));
});

test('the row of GPT-2 Small with 75 % zeros is that of what its command prints', () => {
  const readme = readFileSync(file, 'utf8');
  const [, minutes, rate, over] = /\ntotal +([\d.]+) min +([\d.]+) M .* ([\d.]+) x /.exec(readme) ?? [];
  const [time, ...rest] = cellsOf(shownRows('spdf').at(-1) ?? '').slice(7, 10);
  // Minutes are rounded where they are printed, by 0.005 at most: either end may be the one that was.
  const either = [-0.005, 0.005].map((off) => hours(60 * (Number(minutes) + off)));
  expect(either).toContain(time);
  expect(rest).toEqual([thousands(1e6 * Number(rate)), `${Number(over).toFixed(1)} x`]);
});

test('one system is the row of the first table', () => {
  const [, , one] = shownRows('spdf').map(cellsOf);
  expect(cellsOf(shownRows('systems')[0]).slice(2, 4)).toEqual(one.slice(7, 9));
});
