// Every example and every preset of a model has a golden here, and none of their numbers has moved.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { gptPresets } from '../../compiler/model/presets.ts';
import { emulate } from '../cli/emulated.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const examples = fileURLToPath(new URL('../../examples', import.meta.url));

/** Of a whole training run; its steps are models. */
const isPlan = (file: string): boolean => file.endsWith('.json') && readFileSync(file, 'utf8').includes('"phases"');

/** An example may be a model file and a folder of the same name about it. */
const namesIn = (folder: string): string[] => {
  const names = readdirSync(folder).filter((name) => name !== 'README.md');
  const plans = names.filter((name) => isPlan(join(folder, name))).map(baseName);
  return [...new Set(names.map(baseName))].filter((name) => !plans.includes(name)).sort();
};

function baseName(file: string): string {
  return file.replace(/(\.golden)?\.json$/, '');
}

test('every preset and every example has one', () => {
  expect(namesIn(`${here}presets`)).toEqual(Object.keys(gptPresets).sort());
  expect(namesIn(`${here}examples`)).toEqual(namesIn(examples));
});

test('a preset has its own, and says what is less of it than of the whole', () => {
  for (const name of Object.keys(gptPresets)) {
    const text = readFileSync(`${here}presets/${name}.golden.json`, 'utf8');
    expect(text).toContain(`"model": "${name}"`);
    expect(text).toMatch(/"note": "2 of \d+ layers, one sequence of 128 tokens/);
  }
});

test('none has moved; if one is meant to: npx emulate check test/golden --update', async () => {
  const { out, err, code } = await emulate(['check', here]);
  expect({ code, err }, out).toEqual({ code: 0, err: '' });
  const training = namesIn(`${here}training`).length;
  expect(training).toBeGreaterThan(0);
  expect(out.match(/^same /gm)).toHaveLength(Object.keys(gptPresets).length + namesIn(examples).length + training);
});

test('a constant that is another is seen in every one that depends on it', async () => {
  const { code, out } = await emulate([
    'check',
    `${here}presets/gpt2-small.golden.json`,
    '--set',
    'machine.core.expOps=9',
  ]);
  expect(code).toBe(6);
  expect(out).toMatch(/h\.\*\.attn\.softmax +x2 +cycles +\S+ +\S+ +\+/);
  expect(out).not.toContain('mlp.c_fc');
});
