// `emulate <model>`, `compile` and `run` from end to end on a small model.

import { stripVTControlCharacters } from 'node:util';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { emulate, folderWith, tinyModel } from './emulated.ts';

const matmul = {
  kind: 'matmul',
  in: 96,
  out: 64,
  workload: { tokens: 64 },
  sparsity: 0.5,
  machine: tinyModel.machine,
};

const report = z.looseObject({
  wafer: z.looseObject({ cycles: z.number() }),
  operators: z.array(z.looseObject({ name: z.string(), cycles: z.number() })),
  hashes: z.looseObject({ result: z.string() }),
  run: z.looseObject({ workers: z.number().optional() }),
});

function reportOf(text: string): z.output<typeof report> {
  return report.parse(JSON.parse(text));
}

test('--json - prints the report and nothing else, the same for any number of workers', async () => {
  const model = `${folderWith({ 'tiny.json': tinyModel })}/tiny.json`;
  const one = await emulate([model, '--workers', '1', '--json', '-']);
  const two = await emulate([model, '--workers', '2', '--json', '-']);
  expect([one.code, one.err, two.code]).toEqual([0, '', 0]);
  const [first, second] = [reportOf(one.out), reportOf(two.out)];
  expect(first.run.workers).toBe(1);
  expect(second.run.workers).toBe(2);
  expect({ ...second, run: null }).toEqual({ ...first, run: null });
});

test.each([
  ['a GPT', tinyModel],
  ['a matmul', matmul],
])('%s is printed in 100 columns and written to a file', async (_, file) => {
  const folder = folderWith({ 'model.json': file });
  const json = `${folder}/report.json`;
  const { code, out, err } = await emulate([`${folder}/model.json`, '--workers', '2', '--json', json]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(50);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  expect(out).toMatch(/speed-up\n +over one NVIDIA A100 SXM4 80 GB +[\d.]+ x/);
  const { wafer, hashes } = reportOf(readFileSync(json, 'utf8'));
  expect(out).toContain(`${wafer.cycles.toLocaleString('en-US')} cycles`);
  expect(out).toContain(hashes.result.slice(0, 16));
});

/** Without what a clock measured, and without blanks at the end of a line. */
function withoutTimes(text: string): string {
  return text.replace(/^host.*$/m, '').replaceAll(/ +$/gm, '');
}

test('colours change nothing but colours, and add a picture of the wafer', async () => {
  const model = `${folderWith({ 'matmul.json': matmul })}/matmul.json`;
  const plain = await emulate([model, '--no-color']);
  const coloured = await emulate([model, '--color']);
  const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
  expect(coloured.out).toMatch(escapes);
  const said = stripVTControlCharacters(coloured.out);
  const picture = said.split('\n').filter((line) => line.startsWith('PEs ') || line.includes('\u2580'));
  expect(picture.length).toBeGreaterThan(1);
  const rest = said.split('\n').filter((line) => !picture.includes(line));
  expect(withoutTimes(rest.join('\n'))).toBe(withoutTimes(plain.out));
});

test('a compiled program runs to the cycles of its model', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const model = `${folder}/tiny.json`;
  const program = `${folder}/tiny.program`;
  expect(await emulate(['compile', model, '--out', program])).toEqual({ code: 0, out: '', err: '' });
  const ran = reportOf((await emulate(['run', program, '--json', '-'])).out);
  const emulated = reportOf((await emulate([model, '--json', '-'])).out);
  expect(ran.wafer).toEqual(emulated.wafer);
  expect(ran.operators).toEqual(emulated.operators);
  const { code, out } = await emulate(['run', program, '--workers', '1']);
  expect(code).toBe(0);
  expect(out).toContain(`${ran.wafer.cycles.toLocaleString('en-US')} cycles`);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test.each([
  ['graph', /^graph tiny batch=4 sequence=32\n {2}%wte/],
  ['placement', /^placement tiny fabric=16x16\n/],
  ['program', /^program tiny machine=/],
])('compile prints the %s', async (emit, expected) => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const { code, out } = await emulate(['compile', `${folder}/tiny.json`, '--emit', emit]);
  expect(code).toBe(0);
  expect(out).toMatch(expected);
});

test('--no-twins leaves the twins out and changes no cycle', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const model = `${folder}/tiny.json`;
  const program = `${folder}/tiny.program`;
  await emulate(['compile', model, '--out', program]);
  for (const command of [[model], ['run', program]]) {
    const asked = reportOf((await emulate([...command, '--json', '-'])).out);
    const without = reportOf((await emulate([...command, '--json', '-', '--no-twins'])).out);
    expect(asked.effects).toHaveLength(5);
    expect(without.effects).toBeNull();
    expect(without.wafer).toEqual(asked.wafer);
    expect(without.hashes).toEqual({ ...asked.hashes, twins: null });
    expect((await emulate(command)).out).toContain('\neffect, alone');
    expect((await emulate([...command, '--no-twins'])).out).not.toContain('effect');
  }
});
