// The picture of the wafer on a terminal: the counts of its PEs, at most 100 columns, and nothing without colours.

import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { cellShares, heatMapLines } from '../../report/heatMap.ts';
import { buildReport } from '../../report/report.ts';
import { terminalReport } from '../../report/terminal.ts';
import { gptFile, resultOf } from './ran.ts';

test('a cell is the mean of its PEs, and all cells are the slots of the run', async () => {
  const { wafer, map } = await resultOf(gptFile);
  if (map === null) throw new Error('no map');
  const of = { map, mapping: wafer.mapping, fabric: { width: 8, height: 8 } };
  const passCycles = wafer.cycles / wafer.mapping.passes;
  const slots = wafer.operators.reduce((sum, { where }) => sum + where.compute + where.overhead + where.reduce, 0);
  for (const [wide, high] of [
    [8, 8],
    [4, 2],
    [1, 1],
  ]) {
    const cells = cellShares(of, wide, high);
    const mean = cells.reduce((sum, share) => sum + share, 0) / cells.length;
    expect(mean).toBeCloseTo(slots / (passCycles * 64), 12);
  }
});

test.each([1, 2, 3] as const)('fits 100 columns with colours of level %i', async (level) => {
  const result = await resultOf(gptFile);
  const text = terminalReport(buildReport(result), new Chalk({ level }), result.map);
  const lines = stripVTControlCharacters(text).split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.includes('\u2580'))).toHaveLength(4);
});

test('a whole wafer takes seven lines of 99 columns', async () => {
  const { wafer, map } = await resultOf(gptFile);
  if (map === null) throw new Error('no map');
  const lines = heatMapLines(
    { map, mapping: wafer.mapping, fabric: { width: 750, height: 994 } },
    new Chalk({ level: 3 }),
  ).map(stripVTControlCharacters);
  expect(lines).toHaveLength(7);
  expect(lines.slice(1).map((line) => line.length)).toEqual([99, 99, 99, 99, 99, 99]);
});

test('nothing of it where there are no colours', async () => {
  const result = await resultOf(gptFile);
  const report = buildReport(result);
  const plain = new Chalk({ level: 0 });
  expect(terminalReport(report, plain, result.map)).toBe(terminalReport(report, plain));
});
