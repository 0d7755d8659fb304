import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../../compiler/model/load.ts';
import { refusal, written } from './written.ts';

const examples = new URL('../../../examples/', import.meta.url).pathname;

test('the examples load', () => {
  expect(loadModel(`${examples}gpt3-xl.json`)).toMatchObject({
    name: 'gpt3-xl',
    workload: { batch: 128, sequence: 2048, tokens: 262144 },
    sparsity: { value: 0.75, seed: 1 },
    machine: { preset: 'wse2' },
    gpu: 'a100-80gb',
  });
  expect(loadModel(`${examples}gpt2-small.json`)).toMatchObject({
    name: 'gpt2-small',
    workload: { batch: 128, sequence: 1024 },
  });
});

test('a preset needs no file', () => {
  expect(loadModel('cerebras-gpt-111m')).toMatchObject({
    name: 'cerebras-gpt-111m',
    origin: { file: null, flags: [] },
    workload: { batch: 1, sequence: 2048 },
    sparsity: { value: 0 },
  });
});

test('a name that is neither a file nor a preset is answered with the nearest preset', () => {
  const message = refusal(() => loadModel('gpt3-xll'));
  expect(message).toMatch(
    /^gpt3-xll: no such file, and no such preset, allowed a JSON file, or gpt2-small, gpt2-medium, /,
  );
  expect(message).toMatch(/, llama-7b, did you mean "gpt3-xl"\?$/);
});

test('a directory is not a model', () => {
  const folder = written({});
  mkdirSync(join(folder, 'gpt3'));
  expect(refusal(() => loadModel(join(folder, 'gpt3')), folder)).toMatch(/^gpt3: is a directory, and no such preset/);
});

test('a file is named after itself', () => {
  const folder = written({
    'mine.jsonc': '{ "layers": 1, "width": 8, "heads": 1, "vocabulary": 9, "context": 4 } // own',
  });
  expect(loadModel(join(folder, 'mine.jsonc')).name).toBe('mine');
});
