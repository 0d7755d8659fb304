// `emulate train` from end to end.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { phase, planText, tinyShape } from '../plan/planned.ts';
import { emulate, type Emulated, folderWith } from './emulated.ts';

function train(fields: object, ...flags: readonly string[]): Promise<Emulated> {
  const folder = folderWith({ 'plan.json': planText(fields) });
  return emulate(['train', join(folder, 'plan.json'), ...flags]);
}

test('--help says what a plan is for', async () => {
  const { code, out } = await emulate(['train', '--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/^emulate train <plan>/);
  expect(out).toContain('emulate schema plan');
});

test('the schema of plans is there, models within', async () => {
  const { code, out } = await emulate(['schema', 'plan']);
  expect(code).toBe(0);
  const schema: unknown = JSON.parse(out);
  expect(schema).toMatchObject({ title: 'plan', $schema: expect.stringContaining('draft-07') });
  for (const name of ['phases', 'stages', 'dynamic', 'lora', 'systems', 'vocabulary'])
    expect(out).toContain(`"${name}": {`);
});

/** One layer on 13 x 12 PEs in one mapping, and phases of all kinds. */
const whole = {
  model: { ...tinyShape, mapping: { columns: 12, tokensPerPe: 8 } },
  machine: { preset: 'wse2', fabric: { width: 13, height: 12 } },
  phases: [
    { ...phase, sparsity: 0.75 },
    { name: 'densify', batch: 2, sequence: 32, stages: [0.5, 0].map((sparsity) => ({ steps: 3, sparsity })) },
    { ...phase, name: 'moving', sparsity: 0.75, dynamic: { method: 'rigl', every: 2 } },
    { ...phase, name: 'tuning' },
    { ...phase, name: 'adapters', lora: { rank: 2, targets: ['qkv', 'mlpOut'] } },
  ],
};

describe('a plan', () => {
  test('is printed phase by phase', async () => {
    const { code, out, err } = await train(whole, '--workers', '1');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^plan: plan on one wse2 \(modified\), beside one NVIDIA A100/);
    for (const line of ['all ', 'densify ', 'moving ', 'tuning ', 'adapters ', 'total ', 'not modelled '])
      expect(out).toContain(`\n${line}`);
    // Of seven kinds of steps tuning has one of densify and moving one of the first phase.
    expect(out).toContain('5 different steps run');
  });

  test('comes to the same bytes with one worker and with two, but for what is said of the host', async () => {
    const plan = join(folderWith({ 'plan.json': planText(whole) }), 'plan.json');
    const on = async (workers: string, format: string): Promise<string> =>
      (await emulate(['train', plan, '--workers', workers, format, '-'])).out;
    const [first, second] = [await on('1', '--json'), await on('2', '--json')].map((out) => Object(JSON.parse(out)));
    expect({ ...first, run: null }).toEqual({ ...second, run: null });
    expect([first.run.workers, second.run.workers]).toEqual([1, 2]);
    expect(first.format).toBe('wafer-emulator training plan 1');
    expect(first.phases).toHaveLength(5);
    const csv = await on('1', '--csv');
    expect(await on('2', '--csv')).toBe(csv);
    expect(csv.split('\n')).toHaveLength(1 + 6 + 1 + 1);
  });

  test('is written to files beside what is printed', async () => {
    const folder = folderWith({ 'plan.json': planText(whole) });
    const file = (name: string): string => join(folder, name);
    const { out } = await emulate(['train', file('plan.json'), '--json', file('a.json'), '--csv', file('a.csv')]);
    expect(out).toContain('\ntotal ');
    expect(JSON.parse(readFileSync(file('a.json'), 'utf8'))).toMatchObject({ systems: 1, run: { stepsRun: 5 } });
    expect(readFileSync(file('a.csv'), 'utf8')).toMatch(/^phase,kind,stage,/);
  });

  test('that does not fit ends with 3', async () => {
    const { code, out, err } = await train({ ...whole, machine: { preset: 'wse2', memory: { sramBytes: 4200 } } });
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toContain('does not fit');
  });

  test('that is interrupted ends with 130', async () => {
    const folder = folderWith({ 'plan.json': planText(whole) });
    const { code, out } = await emulate(['train', join(folder, 'plan.json')], { signal: AbortSignal.abort() });
    expect({ code, out }).toEqual({ code: 130, out: '' });
  });
});

describe('refused with 2 before anything runs', () => {
  test.each<[object, string[], string]>([
    [{ phases: [{ ...phase, batchs: 2 }] }, [], 'plan.json:'],
    [{ phases: [{ ...phase, batchs: 2 }] }, [], 'did you mean "batch"?'],
    [{}, ['--sparsity', '2'], '--sparsity 2: out of range'],
    [{}, ['--set', 'system=2'], '--set system=2: unknown key, got "system"'],
    [{}, ['--set', 'phases.0.batch=4'], 'phases is a list'],
    [{}, ['--gpu', 'h10'], '--gpu h10: unknown value'],
    [{}, ['--workers', '0'], '--workers: got "0"'],
    [{}, ['--csv', '-', '--json', '-'], '--csv: stdout is for --json already'],
    [{}, ['--csv', '/nowhere/at/all.csv'], '--csv /nowhere/at/all.csv: cannot be written'],
    [{}, ['--jsn', '-'], '--jsn: unknown flag, did you mean "--json"?'],
  ])('%j %j', async (fields, flags, message) => {
    const { code, out, err } = await train(fields, ...flags);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('no plan', async () => {
    expect((await emulate(['train'])).err).toContain('something is missing, allowed emulate train <plan>');
    expect((await emulate(['train', 'nowhere.json'])).err).toContain('nowhere.json: no such file');
    expect((await emulate(['tran', 'a', 'b'])).err).toContain('did you mean "emulate train"?');
  });
});
