// The energy of a report: exact counts times the table of the machine file, an estimate with its sources.

import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { energyText } from '../../report/energy.ts';
import { energy as energySection } from '../../report/html/energy.ts';
import { contentOfModel } from '../../report/html/content.ts';
import { sourcesOf } from '../../report/machine.ts';
import { buildReport, type Report } from '../../report/report.ts';
import { terminalReport } from '../../report/terminal.ts';
import { energyParts, joulesOf } from '../../run/energy.ts';
import { gptFile, matmulFile, resultOf } from './ran.ts';

test('each part is a count of the run times a number of the machine', async () => {
  const { wafer, spec } = await resultOf(gptFile);
  const { machine } = spec.machine;
  const parts = energyParts(machine, wafer);
  const countOf = (constant: string): number | undefined =>
    parts.find((part) => part.constant === `energy.${constant}`)?.count;
  const all = (of: (operator: (typeof wafer.operators)[number]) => number): number =>
    wafer.mapping.passes * wafer.operators.reduce((sum, operator) => sum + of(operator), 0);
  const compute = all(({ where }) => where.compute);
  const reduce = all(({ where }) => where.reduce);
  expect(countOf('joulesPerCycle')).toBe(wafer.cycles * 8 * 8);
  expect(countOf('joulesPerComputeSlot')).toBe(compute);
  expect(countOf('joulesPerReduceSlot')).toBe(reduce);
  expect(countOf('joulesPerOverheadSlot')).toBe(all(({ where }) => where.overhead));
  // Six words a slot of four halves: two vectors read, one written.
  expect(countOf('joulesPerSramWord')).toBe(6 * compute + 2 * reduce);
  expect(countOf('joulesPerBitHop')).toBe(all(({ traffic }) => traffic.hops));
  expect(countOf('joulesPerEdgeWord')).toBe(all(({ traffic }) => traffic.edgeWords));
  for (const { count, joules, joulesEach } of parts) {
    expect(count).toBeGreaterThan(0);
    expect(joules).toBe(count * joulesEach);
  }
  expect(joulesOf(machine, wafer)).toBe(parts.reduce((sum, { joules }) => sum + joules, 0));
});

test('words over the edge are those of the map of the wafer', async () => {
  const { wafer, detail } = await resultOf(gptFile);
  expect(wafer.operators.map(({ traffic }) => traffic.edgeWords)).toEqual(
    detail?.map.map(({ edgeWords }) => edgeWords),
  );
});

test('a slot of the WSE-2 that does 4 multiply-adds takes what the maker says of a core at its peak', () => {
  const { joulesPerCycle, joulesPerComputeSlot, joulesPerSramWord } = machinePresets.wse2.machine.energy;
  expect(joulesPerCycle + joulesPerComputeSlot + 6 * joulesPerSramWord).toBeCloseTo(30e-3 / 1.1e9, 12);
});

async function reportOf(energy: Readonly<Record<string, number>>): Promise<Report> {
  return buildReport(await resultOf({ ...matmulFile, machine: { ...matmulFile.machine, energy } }));
}

function hops({ energy: { parts } }: Report): Report['energy']['parts'][number] | undefined {
  return parts.find(({ short }) => short === 'hops');
}

test('more zeros take less, other numbers as they say, and neither moves the hash of the result', async () => {
  const [plain, dearer] = [await reportOf({}), await reportOf({ joulesPerBitHop: 1.5e-12 })];
  expect(hops(dearer)?.joules).toBeCloseTo(10 * (hops(plain)?.joules ?? 0), 15);
  expect(hops(dearer)?.source).toContain('small.json');
  expect(dearer.hashes.result).toBe(plain.hashes.result);
  expect(dearer.hashes.input).not.toBe(plain.hashes.input);
  const sparser = buildReport(await resultOf({ ...matmulFile, sparsity: 0.9 }));
  expect(sparser.energy.joules).toBeLessThan(plain.energy.joules);
});

test('terminal and page call it an estimate; the page has a source for every number', async () => {
  const result = await resultOf(gptFile);
  const report = buildReport(result);
  const text = energyText(report.energy);
  expect(terminalReport(report, new Chalk({ level: 0 })).replaceAll(/\s+/g, ' ')).toContain(`energy ${text}`);
  expect(text).toMatch(/^estimate: 12\.80 uJ, 638\.6 mW: edge 35 %, SRAM 33 %, clock 13 %, rest 19 %$/);
  const section = energySection(contentOfModel(report, result));
  expect(section).toContain('An estimate');
  for (const { source } of report.energy.parts) expect(source).not.toBe('');
  expect(section).toContain('0.15 pJ a bit on wafer');
  expect(section).not.toContain('not said');
});

test('a machine of nothing takes nothing', async () => {
  const energy = Object.fromEntries(Object.keys(machinePresets.wse2.machine.energy).map((key) => [key, 0]));
  const report = buildReport(await resultOf({ ...matmulFile, machine: { ...matmulFile.machine, energy } }));
  expect(report.energy.joules).toBe(0);
  expect(energyText(report.energy)).toContain('nothing');
});

test('a machine of a program file has the sources of its preset, or none', () => {
  const { machine, sources } = machinePresets.wse3;
  expect(sourcesOf(machine)).toBe(sources);
  expect(sourcesOf({ ...machine, clockHz: 1e9 })).toEqual({});
});
