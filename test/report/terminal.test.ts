// The report on a terminal: it fits, it says first what the user came for, and its table adds up.

import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { CAUSES } from '../../emulator/program/causes.ts';
import { leverOf } from '../../report/levers.ts';
import { count, duration, percent, scaled, times, wrapped } from '../../report/numbers.ts';
import { linesOf, operatorTable } from '../../report/operatorTable.ts';
import { buildReport } from '../../report/report.ts';
import { terminalReport } from '../../report/terminal.ts';
import { gptFile, matmulFile, resultOf } from './ran.ts';

const plain = new Chalk({ level: 0 });

test.each([
  ['a GPT', gptFile],
  ['a matmul', matmulFile],
  ['a matmul without weights', { ...matmulFile, sparsity: 1 }],
  ['a model with a long name', { ...matmulFile, name: 'x'.repeat(80) }],
])('%s fits 100 columns and 50 lines', async (_, file) => {
  const text = terminalReport(buildReport(await resultOf(file)), plain);
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(50);
  for (const line of lines) expect(line).toMatch(/^.{0,100}$/);
  expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
});

test('what the user came for comes first', async () => {
  const report = buildReport(await resultOf(gptFile));
  const [headline, , ...rest] = terminalReport(report, plain).split('\n');
  expect(headline).toBe('small: prefill of 2 x 16 tokens, 50.0 % of the weights zero, seed 1, on wse2 (modified)');
  expect(rest[0]).toBe('speed-up');
  expect(rest[1]).toContain(`over one NVIDIA A100 SXM4 80 GB`);
  expect(rest[1]).toContain(times(report.speedup.overGpu));
  expect(rest[2]).toContain(times(report.speedup.overDenseWafer));
  expect(rest[3]).toContain(times(report.speedup.ideal));
});

test('layers come together in one line, and the lines add up to the run', async () => {
  const { operators, wafer, mapping } = buildReport(await resultOf(gptFile));
  const lines = linesOf(operators);
  expect(lines.map(({ name, layers }) => `${name} ${layers}`).slice(0, 3)).toEqual([
    'wte 1',
    'h.*.ln_1 2',
    'h.*.attn.c_attn 2',
  ]);
  expect(lines.reduce((sum, { cycles }) => sum + cycles, 0) * mapping.passes).toBe(wafer.cycles);
  expect(lines.reduce((sum, { utilisation, share }) => sum + utilisation * share, 0)).toBeCloseTo(
    wafer.utilisation,
    12,
  );
  for (const cause of CAUSES)
    expect(lines.reduce((sum, { where }) => sum + where[cause], 0)).toBe(
      operators.reduce((sum, { where }) => sum + where[cause], 0),
    );
});

test('a table shows the cycles of all passes, and what would help', async () => {
  const { operators } = buildReport(await resultOf(matmulFile));
  const [operator] = operators;
  const [, row] = operatorTable(operators, 3, plain);
  expect(row).toMatch(/^matmul +[\d,]+ +100\.0 % /);
  expect(row).toContain(` ${count(3 * operator.cycles)} `);
  expect(row).toContain(leverOf(operator.boundBy, 'linear'));
});

test.each([
  [scaled(0), '0'],
  [scaled(999), '999'],
  [scaled(1234), '1.234 k'],
  [scaled(5e18), '5000 P'],
  [duration(12.3456), '12.35 s'],
  [duration(0.0123), '12.30 ms'],
  [duration(1.5e-7), '0.1500 us'],
  [percent(0.12345), '12.3 %'],
  [times(12.5), '12.50 x'],
  [times(null), 'no bound'],
])('%s', (text, expected) => {
  expect(text).toBe(expected);
});

test('texts are broken between words, and words only where they must be', () => {
  expect(wrapped('one two three', 9, '- ')).toEqual(['- one two', '  three']);
  expect(wrapped('x'.repeat(20), 10, '')).toEqual(['x'.repeat(10), 'x'.repeat(10)]);
  expect(wrapped('', 10, 'label ')).toEqual(['label ']);
});
