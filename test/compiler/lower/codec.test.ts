// Program files: the same bytes for the same program, back as it was, and a refusal of everything else.

import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { decodeProgram, encodeProgram } from '../../../compiler/lower/codec.ts';
import { printProgram, type Program } from '../../../compiler/lower/program.ts';
import { gptJLike, gptLike, llamaLike } from '../../run/tiny.ts';
import { refusal } from '../model/written.ts';
import { tinyProgram } from './tinyProgram.ts';

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each([
  ['GPT', gptLike],
  ['LLaMA', llamaLike],
  ['GPT-J', gptJLike],
  ['a training step', { ...gptLike, train: true }],
  ['matmul', { kind: 'matmul', in: 30, out: 41, sparsity: 0.7 }],
])('a program of %s', (_name, file) => {
  const program = tinyProgram(file);
  const bytes = encodeProgram(program);

  test('comes back as it was, and gives the same bytes again', () => {
    const back = decodeProgram(bytes, 'tiny.program');
    expect(back).toEqual(program);
    expect(printProgram(back)).toBe(printProgram(program));
    expect(hash(encodeProgram(back))).toBe(hash(bytes));
  });

  test('compiled again has the same bytes', () => {
    expect(hash(encodeProgram(tinyProgram(file)))).toBe(hash(bytes));
  });

  test('changed in one number has other bytes', () => {
    const other = { ...program, mapping: { ...program.mapping, keyBlock: program.mapping.keyBlock + 1 } };
    expect(hash(encodeProgram(other))).not.toBe(hash(bytes));
  });
});

describe('what is not a program is refused (exit 2)', () => {
  const packr = new Packr({ useRecords: false, variableMapSize: true });
  const program: Program = tinyProgram(gptLike);
  const bytes = encodeProgram(program);
  const wrongVersion =
    'x: not a program of this version, allowed a file written by emulate compile --emit program --out';

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('{ "format": "wafer-emulator program 1" }')],
    ['the first half', bytes.subarray(0, bytes.length >> 1)],
    ['all but the last byte', bytes.subarray(0, bytes.length - 1)],
    ['a byte too many', Uint8Array.from([...bytes, 0])],
  ])('%s', (_what, junk) => {
    expect(refusal(() => decodeProgram(junk, 'x'))).toMatch(/^x: not a program file \(/);
  });

  test.each<[string, unknown]>([
    ['a number', 5],
    ['nil', null],
    ['a list', [program]],
    ['another version', { ...program, format: 'wafer-emulator program 0' }],
    ['the format alone', { format: program.format }],
    ['a machine without a number', { ...program, machine: { ...program.machine, clockHz: 'fast' } }],
    ['operators that are none', { ...program, operators: [5] }],
    ['a kernel that is none', withShape(program, { kernel: 'fft' })],
    ['a kernel that a name of the language is', withShape(program, { kernel: 'constructor' })],
  ])('%s', (_what, value) => {
    const body = packr.pack(value);
    const file = packr.pack({ sha256: hash(body), program: body });
    expect(refusal(() => decodeProgram(file, 'x'))).toBe(wrongVersion);
    expect(refusal(() => decodeProgram(body, 'x'))).toBe(wrongVersion);
  });

  test('a byte turned anywhere is noticed', () => {
    for (let i = 0; i < bytes.length; i += 37) {
      const junk = bytes.slice();
      junk[i] ^= 0xff;
      expect(refusal(() => decodeProgram(junk, 'x'))).toMatch(/^x: (damaged|not a program)/);
    }
  });
});

function withShape(program: Program, shape: object): object {
  return { ...program, operators: [{ name: 'wte', kind: 'embedding', steps: [{ shape, repeat: 1, copies: 1 }] }] };
}
