import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../../compiler/model/load.ts';
import { machinePresets } from '../../../emulator/machine/presets/index.ts';
import { refusal, written } from './written.ts';

const file = { preset: 'gpt2-small', sparsity: { value: 0.75, seed: 3, weights: ['qkv'] }, machine: 'wse1' };

function fileWith(fields: object): string {
  return join(written({ 'model.json': { ...file, ...fields } }), 'model.json');
}

test('flags replace what the file says, and are remembered', () => {
  const model = loadModel(fileWith({}), { sparsity: '0.5', machine: 'wse3', gpu: 'h100' });
  expect(model).toMatchObject({
    sparsity: { value: 0.5, seed: 3, weights: ['qkv'] },
    machine: { preset: 'wse3', overridden: [] },
    gpu: 'h100',
    origin: { flags: ['--machine wse3', '--gpu h100', '--sparsity 0.5'] },
  });
});

test('--sparsity keeps seed and matrices whichever form the file has', () => {
  expect(loadModel(fileWith({ sparsity: 0.9 }), { sparsity: 0.5 }).sparsity).toMatchObject({ value: 0.5, seed: 1 });
  expect(loadModel('gpt2-small', { sparsity: 0.5 }).sparsity).toMatchObject({ value: 0.5, seed: 1 });
});

test('a path into a short form writes it out first', () => {
  const set = ['sparsity.seed=9', 'machine.core.simdFp16=8', 'bias.mlp=false', 'machine.clockHz.source=a slide'];
  const model = loadModel(fileWith({ sparsity: 0.9, bias: true, machine: { preset: 'wse2', clockHz: 9e8 } }), { set });
  expect(model).toMatchObject({
    sparsity: { value: 0.9, seed: 9 },
    shape: { bias: { attention: true, mlp: false } },
    machine: { machine: { clockHz: 9e8, core: { simdFp16: 8 } }, overridden: ['clockHz', 'core.simdFp16'] },
  });
  expect(model.machine.sources).toMatchObject({
    clockHz: 'a slide',
    'core.simdFp16': '--set machine.core.simdFp16=8',
  });
});

test('a path into what the file leaves out starts from what it then means', () => {
  const model = loadModel('gpt3-xl', { set: ['sparsity.seed=9', 'machine.fabric.width=10', 'workload.batch=4'] });
  expect(model).toMatchObject({
    sparsity: { value: 0, seed: 9 },
    machine: { preset: 'wse2', machine: { fabric: { ...machinePresets.wse2.machine.fabric, width: 10 } } },
    workload: { batch: 4, sequence: 2048 },
  });
});

test('what lies within a varied field is set after it', () => {
  const set = ['machine.core.simdFp16=8', 'sparsity.seed=9'];
  const vary = ['machine.fabric.width=10', 'machine=wse3', 'sparsity=0.25'];
  const model = loadModel(fileWith({}), { set, vary });
  expect(model).toMatchObject({
    sparsity: { value: 0.25, seed: 9, weights: ['qkv'] },
    machine: { preset: 'wse3', machine: { core: { simdFp16: 8 }, fabric: { width: 10 } } },
  });
  expect(model.origin.flags).toContain('--vary machine=wse3');
  const whole = loadModel(fileWith({}), { vary: ['sparsity={"value": 0.25}'] });
  expect(whole.sparsity).toMatchObject({ value: 0.25, seed: 1 });
  expect(refusal(() => loadModel(fileWith({}), { vary: ['machine.core.simdFp=8'] }))).toContain(
    '--vary machine.core.simdFp=8: unknown key, got "simdFp"',
  );
});

test('values are JSON, or else text, and the last wins', () => {
  const set = ['name=a b', 'sparsity={"value": 0.1}', 'sparsity.weights=["mlpIn"]', 'gpu=h100', 'gpu="h200"'];
  expect(loadModel('gpt2-small', { set })).toMatchObject({
    name: 'a b',
    sparsity: { value: 0.1, weights: ['mlpIn'] },
    gpu: 'h200',
  });
});

test('a mapping file replaces the mapping', () => {
  const folder = written({ 'map.json': { columns: 96, tokensPerPe: 64, accumulators: 4 } });
  const { mapping } = loadModel('gpt3-xl', { mapping: join(folder, 'map.json'), set: ['mapping.rows=10'] });
  expect(mapping).toEqual({
    columns: 96,
    groups: null,
    tokensPerPe: 64,
    accumulators: 4,
    rows: 10,
    accumulate: 'fp16',
    causal: true,
  });
});

test('a machine file named by a flag stands relative to the working directory', () => {
  const folder = written({ 'm.json': { preset: 'wse2', core: { simdFp16: 2 } }, 'model.json': file });
  const machine = join(folder, 'm.json');
  const model = loadModel(join(folder, 'model.json'), { machine, set: ['machine.core.simdFp32=4'] });
  expect(model.machine.machine.core).toMatchObject({ simdFp16: 2, simdFp32: 4 });
  expect(refusal(() => loadModel(join(folder, 'model.json'), { machine: 'm.json' }))).toBe(
    '--machine m.json: m.json: no such file',
  );
});

test('a machine file named by the model file stays there when a flag reaches into it', () => {
  const folder = written({ 'm.json': { preset: 'wse3' }, 'model.json': { ...file, machine: 'm.json' } });
  const model = loadModel(join(folder, 'model.json'), { set: ['machine.core.simdFp32=4'] });
  expect(model.machine).toMatchObject({ preset: 'wse3', overridden: ['core.simdFp32'] });
});

test.each([
  ['sparsity.value=2', '--set sparsity.value=2: out of range, got 2, allowed a number 0 to 1'],
  ['sparsity=', '--set sparsity=: wrong type, got "", allowed a number 0 to 1, or an object'],
  [
    'sparsity.vlaue=0',
    '--set sparsity.vlaue=0: unknown key, got "vlaue", allowed value, kind, seed, weights, did you mean "value"?',
  ],
  ['sparsty.value=0', '--set sparsty.value=0: sparsty: unknown key, got "sparsty", did you mean "sparsity"?'],
  ['machine.core.simdFp61=8', '--set machine.core.simdFp61=8: unknown key, got "simdFp61", did you mean "simdFp16"?'],
  [
    'machine.core={"simdFp16": 0}',
    '--set machine.core={"simdFp16": 0}: machine.core.simdFp16: out of range, got 0, allowed a whole number 1 to 65535',
  ],
  [
    'machine.clockHz.unit=MHz',
    '--set machine.clockHz.unit=MHz: machine.clockHz.value: missing, allowed a number above 0, up to 1e+18',
  ],
  [
    'workload.kind=decode',
    '--set workload.kind=decode: not supported, got "decode", allowed "prefill" or "train": this version emulates no decoding',
  ],
  [
    'workload.sequence=2000',
    '--set workload.sequence=2000: longer than the context of gpt2-small, got 2000, allowed a whole number 1 to 1024',
  ],
  [
    'heads=7',
    '--set heads=7: width does not divide into heads, got 768 / 7, allowed a width that is a multiple of heads',
  ],
  ['layers.x=1', '--set layers.x=1: layers is 12, which has no "x"; set it whole'],
  ['layers=1e999', '--set layers=1e999: wrong type, got Infinity, allowed a whole number 1 to 1024'],
  ['=1', '--set: not path=value, got "=1", allowed e.g. sparsity.value=0.5'],
  ['layers', '--set: not path=value, got "layers", allowed e.g. sparsity.value=0.5'],
  ['a..b=1', '--set: not path=value, got "a..b=1", allowed e.g. sparsity.value=0.5'],
  ['a.b.c.d.e=1', '--set: no such path, got "a.b.c.d.e=1", allowed at most 4 names and dots between'],
])('--set %s is refused as the flag that it is', (assignment, message) => {
  const model = fileWith({ layers: 12 });
  expect(refusal(() => loadModel(model, { set: [assignment] }))).toBe(message);
});

test('a key that every object inherits is an unknown key like any other', () => {
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    const message = refusal(() => loadModel('gpt2-small', { set: [`${key}.preset=gpt3-xl`] }));
    expect(message).toContain(`--set ${key}.preset=gpt3-xl: ${key}: unknown key, got "${key}"`);
  }
});

test('flags and lines of the file are told apart in one message', () => {
  const model = fileWith({ gpu: 'tpu' });
  const message = refusal(() => loadModel(model, { sparsity: 'half', machine: 'wse7', set: ['layers=0'] }));
  expect(message.split('\n').map((line) => line.replace(/: .*|.*model.json:/, ''))).toEqual([
    '--machine wse7',
    '--sparsity half',
    '--set layers=0',
    expect.stringMatching(/^1:\d+ gpu/),
    expect.any(String),
    expect.any(String),
  ]);
});
