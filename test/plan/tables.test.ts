// What people and programs get to see of a plan.

import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { PLAN_REPORT_FORMAT, planReport, type PlanReport } from '../../plan/report.ts';
import { planCsv } from '../../plan/tables.ts';
import { planText } from '../../plan/terminal.ts';
import { phase, planOf, ran } from './planned.ts';

const { name, batch, sequence } = phase;
const phases = [
  { name, batch, sequence, stages: [0.75, 0.5].map((sparsity) => ({ tokens: 640, sparsity })) },
  { ...phase, name: 'rigl, "moving"', sparsity: 0.5, dynamic: { method: 'rigl', every: 2 } },
  { ...phase, name: 'a name that is longer than any column', lora: { rank: 2, targets: ['mlpIn'] } },
];

async function reportOf(fields: object = {}): Promise<PlanReport> {
  return planReport(await ran(planOf({ phases, ...fields })), { workers: 2, wallSeconds: 1.25 });
}

function textOf(report: PlanReport): string[] {
  return planText(report, new Chalk({ level: 0 })).split('\n');
}

function has({ notModelled }: PlanReport, what: string): boolean {
  return notModelled.some((each) => each.startsWith(what));
}

test('a line a stage and the whole, within 100 columns', async () => {
  const lines = textOf(await reportOf());
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(100);
  const tableOf = lines.slice(lines.findIndex((line) => line.startsWith('work ')));
  expect(tableOf.slice(0, 6).map((line) => line.slice(0, 24).trim())).toEqual([
    'work',
    name,
    '',
    'rigl, "moving"',
    'a name that is longer...',
    'total',
  ]);
  expect(tableOf[1]).toMatch(/75\.0 % +2 x 32 +10 +640 /);
  expect(tableOf[2]).toMatch(/50\.0 % +2 x 32 +10 +640 /);
  expect(tableOf[5]).toMatch(/ 40 +2\.560 k /);
});

test('times of a stage: wafer, tokens a second, GPU twice, energy', async () => {
  const lines = textOf(await reportOf());
  const at = lines.findIndex((line) => line.startsWith('time '));
  // 10 steps of 2 sequences at 0.625 s.
  expect(lines[at + 1]).toMatch(/ 12\.50 s +51\.20 +\S+ [mu]s +\S+ [mu]s +0\.00 x +79\.86 Wh$/);
  expect(lines[at + 5]).toMatch(/^total +/);
});

test('steps with what binds them, updates by themselves', async () => {
  const text = textOf(await reportOf()).join('\n');
  expect(text).toMatch(/ RigL .* compute\n +update x3 .* compute/);
  expect(text).toMatch(/LoRA, rank 2 /);
});

test('names of phases cannot command a terminal', async () => {
  const text = textOf(await reportOf({ phases: [{ ...phase, name: 'a\u001b[31mb' }] })).join('\n');
  expect(text).not.toContain('\u001b');
});

test('energy is called an estimate, with its sources', async () => {
  expect(textOf(await reportOf()).join(' ')).toMatch(
    /estimate: .* of a system at 15 to 23 kW .* of the wafer by the energy table of wse2/,
  );
  const text = textOf(await reportOf({ machine: { preset: 'wse2', clockHz: 1e9 } })).join(' ');
  expect(text).toContain('is not known');
});

test('says what is not modelled: of these phases, of these systems', async () => {
  const [plain, all] = [await reportOf({ phases: [phase] }), await reportOf({ systems: 2 })];
  for (const what of ['the tree', 'which weights move', 'gradients that end']) {
    expect(has(plain, what)).toBe(false);
    expect(has(all, what)).toBe(true);
  }
  expect(has(plain, 'the optimiser')).toBe(true);
  expect(has(plain, 'the value of the loss')).toBe(true);
  expect(textOf(plain).join(' ')).toContain('not modelled');
});

test('hashes know the input from the result, and neither from names', async () => {
  const [one, renamed, other] = [
    await reportOf(),
    await reportOf({ name: 'another' }),
    await reportOf({ gpu: 'h100' }),
  ];
  expect(one.format).toBe(PLAN_REPORT_FORMAT);
  expect(renamed.hashes).toEqual(one.hashes);
  expect(other.hashes.input).not.toBe(one.hashes.input);
  expect(other.hashes.result).not.toBe(one.hashes.result);
});

test('CSV has a line a stage and one for the whole', async () => {
  const report = await reportOf();
  const lines = planCsv(report).split('\n');
  expect(lines).toHaveLength(1 + 4 + 1 + 1);
  const [head] = lines;
  expect(head.startsWith('phase,kind,stage,sparsity,')).toBe(true);
  expect(lines[3].startsWith('"rigl, ""moving""",dynamic sparse,1,0.5,2,32,3,')).toBe(true);
  expect(lines[5].startsWith('total,,,,')).toBe(true);
  const at = head.split(',').indexOf('flops');
  const flops = [lines[1], lines[2], lines[4], lines[5]].map((line) => Number(line.split(',')[at]));
  expect(flops[3]).toBe(report.total.flops);
  expect(flops[0]).toBe(report.phases[0].stages[0].flops);
});
