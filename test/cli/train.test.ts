// `emulate train` from end to end.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { phase, planText } from '../plan/planned.ts';
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
