// `emulate diff` on two reports of a small model.

import { expect, test } from 'vitest';
import { z } from 'zod';
import { emulate, type Emulated, folderWith, tinyModel } from './emulated.ts';

const report = z.looseObject({
  hashes: z.looseObject({ result: z.string() }),
  operators: z.array(z.looseObject({ name: z.string(), cycles: z.number(), where: z.record(z.string(), z.number()) })),
});

type Report = z.output<typeof report>;

/** The report of the tiny model. */
let written: Promise<string> | undefined;

async function write(): Promise<string> {
  const { code, out } = await emulate([`${folderWith({ 'tiny.json': tinyModel })}/tiny.json`, '--json', '-']);
  expect(code).toBe(0);
  return out;
}

async function diffOf(change: (after: Report) => void, flags: readonly string[] = []): Promise<Emulated> {
  written ??= write();
  const text = await written;
  const read = report.parse(JSON.parse(text));
  change(read);
  const folder = folderWith({ 'before.json': text, 'after.json': read });
  return emulate(['diff', `${folder}/before.json`, `${folder}/after.json`, ...flags]);
}

function operator({ operators }: Report, name: string): Report['operators'][number] {
  const found = operators.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

test('nothing moved is said, and passes the gate', async () => {
  const { code, out } = await diffOf(() => undefined, ['--gate']);
  expect({ code, out }).toEqual({ code: 0, out: 'nothing moved\n' });
});

test('another sparsity and another machine stand at the head, then totals, then operators by cause', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const run = (name: string, flags: readonly string[]): Promise<Emulated> =>
    emulate([`${folder}/tiny.json`, '--workers', '1', '--json', `${folder}/${name}.json`, ...flags]);
  await run('a', []);
  await run('b', ['--sparsity', '0.5', '--set', 'machine.core.axpyOverhead=6']);
  const { code, out } = await emulate(['diff', `${folder}/a.json`, `${folder}/b.json`]);
  expect(code).toBe(0);
  const [head, operators] = out.split('\n\n');
  expect(head).toMatch(/^what +before +after +by\nsparsity\.value +0\.75 +0\.5 +-0\.25 -33\.3 %\n/);
  expect(head).toMatch(/\nmachine\.core\.axpyOverhead +5 +6 +\+1 \+20\.0 %\n/);
  expect(head).toMatch(/\nwafer\.cycles +\S+ +\S+ +\+/);
  expect(operators).toMatch(/^operator +number +before +after +by\n/);
  expect(operators).toMatch(/h\.\*\.mlp\.c_fc +x2 +cycles +\S+ +\S+ +\+\S+ +\+\S+ %\n +overhead /);
  expect(operators).not.toContain('attn.softmax');
  expect((await emulate(['diff', `${folder}/a.json`, `${folder}/b.json`, '--gate'])).code).toBe(6);
});

test('a move in one layer is told by its own name, moves that cancel out too', async () => {
  const one = await diffOf((after) => (operator(after, 'h.1.mlp.c_fc').cycles += 10), ['--gate']);
  expect(one.code).toBe(6);
  expect(one.out).toMatch(/^h\.1\.mlp\.c_fc +cycles +\S+ +\S+ +\+10 /m);
  const two = await diffOf((after) => {
    operator(after, 'h.0.ln_1').cycles += 10;
    operator(after, 'h.1.ln_1').cycles -= 10;
  });
  expect(two.out).toMatch(/^h\.0\.ln_1 +cycles +\S+ +\S+ +\+10 /m);
  expect(two.out).toMatch(/^h\.1\.ln_1 +cycles +\S+ +\S+ +-10 /m);
});

test('a number or an operator that is missing is told, not taken for 0', async () => {
  const { out } = await diffOf((after) => {
    Reflect.deleteProperty(operator(after, 'lm_head').where, 'waitCredit');
    after.operators.splice(after.operators.indexOf(operator(after, 'ln_f')), 1);
  });
  expect(out).toMatch(/^lm_head +waitCredit +\S+ +missing +gone$/m);
  expect(out).toMatch(/^ln_f +cycles +\S+ +missing +gone$/m);
});

test('a hash that moved alone is told', async () => {
  const { code, out } = await diffOf((after) => (after.hashes.result = 'f'.repeat(64)), ['--gate']);
  expect(code).toBe(6);
  expect(out).toMatch(/^hashes\.result /m);
});

test('reports of compiled programs are compared too', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  for (const columns of ['8', '16']) {
    const program = `${folder}/${columns}.program`;
    await emulate(['compile', `${folder}/tiny.json`, '--set', `mapping.columns=${columns}`, '--out', program]);
    await emulate(['run', program, '--workers', '1', '--json', `${folder}/${columns}.json`]);
  }
  const { code, out } = await emulate(['diff', `${folder}/8.json`, `${folder}/16.json`]);
  expect(code).toBe(0);
  expect(out).toMatch(/^what +before +after +by\nmapping\.columns +8 +16 +\+8 \+100\.0 %\n/);
  expect(out).toMatch(/\nlm_head +cycles /);
});

test('what is no report is refused where it is none', async () => {
  const folder = folderWith({ 'a.json': { wafer: {} } });
  const { code, err } = await emulate(['diff', `${folder}/a.json`, `${folder}/a.json`]);
  expect(code).toBe(2);
  expect(err).toMatch(/a\.json:1:\d+ wafer\.cycles: missing/);
});
