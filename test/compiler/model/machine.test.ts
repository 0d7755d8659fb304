import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadModel } from '../../../compiler/model/load.ts';
import { machineFields } from '../../../compiler/model/machineSchema.ts';
import { valueAt, withValueAt } from '../../../compiler/model/paths.ts';
import type { MachineChoice } from '../../../compiler/model/spec.ts';
import { machinePresets } from '../../../emulator/machine/presets/index.ts';
import { refusal, written } from './written.ts';

const { machine: wse2, sources } = machinePresets.wse2;

/** The machine of a model file that has `machine`, beside other files. */
function machineOf(machine: unknown, files: Readonly<Record<string, string | object>> = {}): MachineChoice {
  const folder = written({ ...files, 'model.json': { preset: 'gpt2-small', machine } });
  return loadModel(join(folder, 'model.json')).machine;
}

function refused(machine: unknown, files: Readonly<Record<string, string | object>> = {}): string {
  const folder = written({ ...files, 'model.json': { preset: 'gpt2-small', machine } });
  return refusal(() => loadModel(join(folder, 'model.json')), folder).split('\n')[0];
}

test('a preset comes as it is, with its sources', () => {
  expect(machineOf('wse3')).toEqual({
    machine: machinePresets.wse3.machine,
    preset: 'wse3',
    file: null,
    overridden: [],
    sources: machinePresets.wse3.sources,
  });
});

test('an object replaces some constants of its preset, and says so', () => {
  const choice = machineOf({
    preset: 'wse2',
    core: { simdFp16: 8 },
    clockHz: { value: 1.1e9, unit: 'Hz', source: 'a slide' },
  });
  expect(choice.machine).toEqual({
    ...wse2,
    name: 'wse2 (modified)',
    clockHz: 1.1e9,
    core: { ...wse2.core, simdFp16: 8 },
  });
  expect(choice).toMatchObject({ preset: 'wse2', file: null, overridden: ['clockHz', 'core.simdFp16'] });
  expect(choice.sources).toMatchObject({ clockHz: 'a slide', 'fabric.width': sources['fabric.width'] });
  expect(choice.sources['core.simdFp16']).toMatch(/^set in .*model\.json$/);
});

test('a machine file stands beside the model file and may start from a preset', () => {
  const choice = machineOf('small.json', { 'small.json': { preset: 'wse2', fabric: { width: 10, height: 10 } } });
  expect(choice.machine).toEqual({ ...wse2, name: 'small', fabric: { ...wse2.fabric, width: 10, height: 10 } });
  expect(choice.file).toMatch(/small\.json$/);
  expect(choice).toMatchObject({ preset: 'wse2', overridden: ['fabric.width', 'fabric.height'] });
});

test('a machine file without a preset has every constant, and no origin but itself', () => {
  const choice = machineOf('full.json', { 'full.json': wse2 });
  expect(choice.machine).toEqual(wse2);
  expect(choice).toMatchObject({ preset: null, overridden: [] });
  expect(Object.keys(choice.sources).toSorted()).toEqual(machineFields.map(({ path }) => path).toSorted());
});

test('a machine file may start from another, each of its constants from the last that sets it', () => {
  const files = {
    'a.json': { preset: 'b.json', core: { simdFp16: 16 } },
    'b.json': { preset: 'wse3', core: { simdFp16: 2, simdFp32: 2 }, name: 'b' },
  };
  const choice = machineOf({ preset: 'a.json', memory: { sramBytes: 65536 } }, files);
  expect(choice.machine).toMatchObject({
    name: 'a (modified)',
    core: { simdFp16: 16, simdFp32: 2 },
    memory: { sramBytes: 65536 },
    fabric: { width: 755 },
  });
  expect(choice.overridden.toSorted()).toEqual(['core.simdFp16', 'core.simdFp32', 'memory.sramBytes']);
});

test('every constant can be set, annotated with its unit in words', () => {
  for (const { path, keys, unit } of machineFields) {
    expect(unit, path).not.toBe('');
    const value = valueAt(wse2, keys);
    const choice = machineOf(withValueAt({ preset: 'wse2' }, keys, { value, unit, source: 'here' }));
    expect(choice).toMatchObject({ overridden: [path], sources: { [path]: 'here' } });
    expect(choice.machine).toEqual({ ...wse2, name: 'wse2 (modified)' });
  }
});

test.each([
  [
    'wse9',
    'model.json:1:34 machine: unknown value, got "wse9", allowed "wse1", "wse2", "wse3", or a path that ends in .json, or an object, did you mean "wse1"?',
  ],
  [
    7,
    'model.json:1:34 machine: unknown value, got 7, allowed "wse1", "wse2", "wse3", or a path that ends in .json, or an object',
  ],
  ['no.json', 'model.json:1:34 machine: no.json: no such file'],
  [
    { preset: 'wse' },
    'model.json:1:44 machine.preset: unknown value, got "wse", allowed "wse1", "wse2", "wse3", or a path that ends in .json, did you mean "wse1"?',
  ],
  [
    { preset: 'wse2', core: { simdFp61: 8 } },
    'model.json:1:59 machine.core: unknown key, got "simdFp61", did you mean "simdFp16"?',
  ],
  [
    { preset: 'wse2', sram: 8 },
    'model.json:1:51 machine: unknown key, got "sram", allowed preset, name, clockHz, fabric, core, memory, edge, energy, did you mean "memory.sramBytes"?',
  ],
  [
    { preset: 'wse2', fabric: { width: 0 } },
    'model.json:1:69 machine.fabric.width: out of range, got 0, allowed a whole number 1 to 65535',
  ],
  [
    { preset: 'wse2', fabric: { width: '9' } },
    'model.json:1:69 machine.fabric.width: wrong type, got "9", allowed a whole number 1 to 65535, or an object',
  ],
  [
    { preset: 'wse2', clockHz: 0 },
    'model.json:1:61 machine.clockHz: out of range, got 0, allowed a number above 0, up to 1e+18',
  ],
  [
    { preset: 'wse2', clockHz: { value: 850, unit: 'MHz' } },
    'model.json:1:81 machine.clockHz.unit: wrong unit, got "MHz", allowed "cycles a second": numbers are not converted',
  ],
  [
    { preset: 'wse2', clockHz: 1e12 },
    'model.json:1:61 machine.clockHz: the edge passes less than one wavelet of 32 bits a cycle, allowed a bitsPerSecond of at least 32 x clockHz',
  ],
  [
    { clockHz: 1e9 },
    `model.json:1:34 machine: missing ${machineFields
      .map(({ path }) => path)
      .slice(1)
      .join(', ')}; give them, or what to start from, e.g. "preset": "wse2"`,
  ],
])('%j is refused', (machine, message) => {
  expect(refused(machine)).toBe(message);
});

test('a fault within a machine file is shown in that file', () => {
  expect(refused('m.json', { 'm.json': '{\n  "preset": "wse2",\n  "core": {"simdFp16": -1}\n}' })).toBe(
    'm.json:3:24 core.simdFp16: out of range, got -1, allowed a whole number 1 to 65535',
  );
  expect(refused('m.json', { 'm.json': '{"preset": "wse2",,}' })).toMatch(/^m.json:1:19: not JSON: /);
});

test('machine files that start from each other are refused', () => {
  const files = { 'a.json': { preset: 'b.json' }, 'b.json': { preset: 'a.json' } };
  expect(refused('a.json', files)).toBe(
    'b.json:1:11 preset: a.json: starts from itself; give a preset or every constant',
  );
});
