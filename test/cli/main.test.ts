// Exit codes and messages of the command line, as a user meets them.

import { describe, expect, test } from 'vitest';
import { emulate, folderWith, tinyModel } from './emulated.ts';

describe('a command line that is right', () => {
  test('--version prints the version', async () => {
    expect(await emulate(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  });

  test.each([
    [['--help'], /emulate kernel \[name\].*emulate compile <model>.*--sparsity/s],
    [['kernel', '--help'], /^emulate kernel \[name\]/],
    [['list', 'gpus'], /^v100\n/],
    [['schema', 'machine'], /draft-07/],
  ])('%j prints to stdout only', async (argv, expected) => {
    const { code, out, err } = await emulate(argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(expected);
  });
});

describe('a command line that is wrong ends with 2, and says what is near', () => {
  test.each([
    [[], 'a model is missing'],
    [['gpt2-smal'], 'did you mean "gpt2-small"?'],
    [['shema'], 'did you mean "emulate schema"?'],
    [['lst', 'gpus'], '"gpus": one argument too many, did you mean "emulate list"?'],
    [['list', 'gpu'], 'did you mean "gpus"?'],
    [['list'], 'something is missing, allowed emulate list <what>'],
    [['gpt2-small', '--wrkers', '2'], '--wrkers: unknown flag, did you mean "--workers"?'],
    [['kernel', '--acumulators=2'], '--acumulators: unknown flag, did you mean "--accumulators"?'],
    [['gpt2-small', '--json'], '--json: a value is missing'],
    [['gpt2-small', '--json='], '--json: got an empty text'],
    [['gpt2-small', '--json', 'a', '--json', 'b'], '--json: given 2 times, allowed once'],
    [['gpt2-small', '--json', '/nowhere/at/all.json'], '--json /nowhere/at/all.json: cannot be written'],
    [['gpt2-small', '--json', '.'], '--json .: is a directory'],
    [['gpt2-small', '--workers', 'abc'], '--workers: got "abc", allowed a whole number 1 to 1024'],
    [['gpt2-small', '--workers', '-1'], '--workers: got "-1"'],
    [['gpt2-small', '--workers=1e2'], '--workers: got "1e2"'],
    [['gpt2-small', '--sparsity', '2'], '--sparsity 2: out of range'],
    [['gpt2-small', '--gpu', 'h10'], '--gpu h10: unknown value'],
    [['gpt2-small', '--set', 'layers'], '--set: not path=value'],
    [['gpt2-small', '--', '--more'], '"--more": nothing may stand behind --'],
    [['compile', 'gpt2-small', '--emit', 'grap'], 'did you mean "graph"?'],
    [['run', 'nowhere.program'], 'nowhere.program: cannot be read'],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await emulate(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ +at /m);
  });

  test('a wrong model file is located', async () => {
    const folder = folderWith({ 'wrong.json': '{\n  "preset": "gpt2-small",\n  "sparsty": 0.5\n}' });
    const { code, err } = await emulate([`${folder}/wrong.json`]);
    expect(code).toBe(2);
    expect(err).toContain('wrong.json:3:3: unknown key, got "sparsty"');
    expect(err).toContain('did you mean "sparsity"?');
  });

  test('a program file that is none', async () => {
    const folder = folderWith({ 'not.program': 'text' });
    const { code, err } = await emulate(['run', `${folder}/not.program`]);
    expect(code).toBe(2);
    expect(err).toContain('not.program: not');
  });
});

test('a model that does not fit ends with 3', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const { code, out, err } = await emulate([`${folder}/tiny.json`, '--set', 'machine.memory.sramBytes=4200']);
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(err).toContain('does not fit');
});

test('an interrupt ends with 130', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const { code, out, err } = await emulate([`${folder}/tiny.json`], { signal: AbortSignal.abort() });
  expect({ code, out, err }).toEqual({ code: 130, out: '', err: 'interrupted\n' });
});

test('a defect ends with 1, a stack and a request to report it', async () => {
  const stdout = { isTTY: false, write: () => Promise.reject(new TypeError('boom')) };
  const { code, err } = await emulate(['list', 'gpus'], { stdout });
  expect(code).toBe(1);
  expect(err).toMatch(/^internal: TypeError: boom\n +at [^]*please report it/);
});

test('an error is red only where stderr takes colours', async () => {
  const plain = await emulate(['gpt2-small', '--workers', '0']);
  const forced = await emulate(['gpt2-small', '--workers', '0'], { env: { FORCE_COLOR: '1' } });
  expect(plain.err).not.toContain('\u001b');
  expect(forced.err).toContain('\u001b[31m');
});
