// Files that are damaged, cut off, or lie: an error of ours that names the file and, where there is one, the tensor; never
// another one, and never a tensor that leaves its file.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { eachPiece } from '../../checkpoint/magnitudes.ts';
import { openCheckpoint } from '../../checkpoint/open.ts';
import { NUMBER_BYTES, isNumberType, numbersOf } from '../../checkpoint/tensor.ts';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { madeFile, type MadeFile } from '../fixtures/checkpoints.ts';

const folder = mkdtempSync(join(tmpdir(), 'damaged-'));
afterAll(() => rmSync(folder, { recursive: true }));

const files = [
  ['safetensors', 'safetensors'],
  ['gguf', 'gguf'],
  ['onnx', 'onnx'],
  ['npz', 'npz'],
  ['npzCompressed', 'npz'],
  ['npy', 'npy'],
] as const satisfies readonly (readonly [MadeFile, string])[];

/** The message, if it is refused; every number of every tensor can be read, if it is not. */
function refusal(path: string): string | undefined {
  try {
    for (const tensor of openCheckpoint(path).tensors.values()) {
      if (!isNumberType(tensor.type)) continue;
      let count = 0;
      eachPiece(tensor, (_, pieces) => (count += pieces));
      expect(count).toBe(numbersOf(tensor.shape));
      expect(count * NUMBER_BYTES[tensor.type]).toBeLessThan(2 ** 20);
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    expect(error.code).toBe(EXIT.input);
    expect(error.message).toContain(path);
    return error.message;
  }
}

function written(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A safetensors file of this header, the numbers behind it all 0. */
function safetensors(header: unknown, numbers: number): Buffer {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = Buffer.alloc(8 + text.length + numbers);
  bytes.writeBigUInt64LE(BigInt(text.length));
  bytes.write(text, 8);
  return bytes;
}

const F32 = (shape: number[], from: number, until: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [from, until],
});

describe('a file that lies is refused, with the name of its tensor', () => {
  test.each([
    ['two that overlap', { a: F32([2], 0, 8), b: F32([2], 4, 12) }, 12, /tensors "a" and "b" overlap/],
    ['one that leaves the file', { a: F32([4], 0, 16) }, 8, /tensor "a" lies in bytes .* truncated/],
    ['a shape of another size', { a: F32([3], 0, 8) }, 8, /tensor "a" of F32 \[3\] has 8 bytes, its shape asks for 12/],
    ['a shape beyond counting', { a: F32([2 ** 40, 2 ** 40], 0, 8) }, 8, /tensor "a"/],
    ['a negative size', { a: F32([-2], 0, 8) }, 8, /tensor "a" has no dtype, shape and data_offsets/],
    ['a gap', { a: F32([1], 0, 4), b: F32([1], 8, 12) }, 12, /nothing is said of bytes .* before tensor "b"/],
    ['a tail', { a: F32([1], 0, 4) }, 12, /nothing is said of bytes/],
    ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, /tensor "a" has no dtype, shape and data_offsets/],
    ['no JSON', '{"a":', 4, /its header is not JSON/],
    ['no object', '[1,2]', 4, /its header is not a JSON object/],
  ])('safetensors: %s', (name, header, numbers, message) => {
    expect(refusal(written(`${name.replaceAll(' ', '-')}.safetensors`, safetensors(header, numbers)))).toMatch(message);
  });

  test('a header longer than any', () => {
    const bytes = safetensors({}, 0);
    bytes.writeBigUInt64LE(2n ** 62n);
    expect(refusal(written('long.safetensors', bytes))).toMatch(/its header would have/);
  });

  test('a number type that is not known is named when it is read', () => {
    const bytes = safetensors({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } }, 4);
    const [tensor] = openCheckpoint(written('f8.safetensors', bytes)).tensors.values();
    expect(() => eachPiece(tensor, () => undefined)).toThrow(/tensor "a" is of type F8_E4M3/);
  });
});

/** A folder of two shards and this index. */
function shards(map: unknown, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'one.safetensors'), safetensors({ a: F32([1], 0, 4), b: F32([1], 4, 8) }, 8));
  writeFileSync(join(path, 'two.safetensors'), safetensors({ c: F32([2], 0, 8) }, 8));
  writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  return path;
}

describe('shards by their index', () => {
  test('give what the index says, and only that', () => {
    const path = shards({ a: 'one.safetensors', c: 'two.safetensors' }, 'good');
    expect([...openCheckpoint(path).tensors.keys()]).toEqual(['a', 'c']);
  });

  test.each([
    ['a shard that is not there', { a: 'three.safetensors' }, /three\.safetensors: cannot be read/],
    ['a tensor that is not in its shard', { c: 'one.safetensors' }, /tensor "c" is not in one\.safetensors/],
    ['a file outside', { a: '../one.safetensors' }, /allowed a file of this folder/],
  ])('%s', (name, map, message) => {
    expect(refusal(shards(map, name.replaceAll(' ', '-')))).toMatch(message);
  });
});

describe.each(files)('%s', (name, suffix) => {
  const whole = madeFile(name);

  test('cut off anywhere: refused, or what is left is whole', () => {
    for (let length = 0; length < whole.length; length++) {
      const message = refusal(written(`cut.${suffix}`, whole.subarray(0, length)));
      // An ONNX model that ends before its weights, or between two fields, is a smaller model. The numbers of the GGUF file end
      // before its padding.
      const ends = suffix === 'gguf' ? whole.length - 8 : whole.length;
      if (suffix !== 'onnx' && length < ends) expect(message, `${length} of ${whole.length} bytes`).toBeDefined();
    }
  });

  test('any bytes changed: refused with its name, or readable', () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        refusal(written(`changed.${suffix}`, bytes));
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

test('what is no checkpoint', () => {
  expect(refusal(written('weights.bin', 'x'))).toMatch(/not a checkpoint, allowed/);
  const empty = join(folder, 'pickled');
  mkdirSync(empty);
  writeFileSync(join(empty, 'pytorch_model.bin'), 'x');
  expect(refusal(empty)).toMatch(/no \.safetensors files; pickled weights/);
});
