// Masks whose bits are stored: they count as the rule that they were written from, in every layout and on both paths, and
// what is not there, or not what was stored, is said.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countCells, countCellsPlain } from '../../../kernels/spmm/counts.ts';
import { featureCount, type Layout } from '../../../kernels/spmm/layout.ts';
import { type DrawnMask, isDense, maskRow, maskSource, type StoredMask } from '../../../kernels/spmm/mask.ts';
import { keepBits, keepBitsIn, storedBits, vectorWords } from '../../../kernels/spmm/storedBits.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bits-'));
  keepBitsIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same zeros as bits. */
function stored(mask: DrawnMask): StoredMask {
  const { rows, width } = mask;
  const source = maskSource(mask);
  const row = new Int32Array(source.wordsPerRow);
  const size = vectorWords(width);
  const words = new Int32Array(rows * size);
  for (let n = 0; n < rows; n++) {
    maskRow(source, n, row);
    words.set(row, n * size);
  }
  return { name: mask.name, sparsity: mask.sparsity, rows, width, bits: keepBits(rows, width, words) };
}

const strided = (features: number): Layout => ({ kind: 'strided', features });
const heads = (count: number, headDim: number, parts: readonly number[], pairs = false): Layout => {
  return { kind: 'heads', heads: count, headDim, pairs, parts };
};

const layouts: readonly (readonly [string, Layout, Layout])[] = [
  ['strided to strided', strided(301), strided(64)],
  ['gate and up', strided(130), { kind: 'strided', features: 96, parts: 2 }],
  ['strided to heads with shared keys and values', strided(48), heads(4, 12, [4, 2, 2], true)],
  ['heads to strided', heads(6, 8, [6]), strided(50)],
];

describe.each(layouts)('%s', (_, input, output) => {
  test.each([1, 2, 5, 33, 160])('on %i columns stored bits count as the rule does', (cols) => {
    for (const sparsity of [0, 0.001, 0.6, 1]) {
      const mask = { name: 'w', seed: 5, sparsity, rows: featureCount(output), width: featureCount(input) };
      const bits = stored(mask);
      const expected = countCellsPlain({ mask, input, output }, cols);
      expect(countCells({ mask: bits, input, output }, cols)).toEqual(expected);
      expect(countCellsPlain({ mask: bits, input, output }, cols)).toEqual(expected);
    }
  });

  test.each([1, 5, 33])('transposed, on %i columns', (cols) => {
    const mask = { name: 't', seed: 6, sparsity: 0.7, rows: featureCount(output), width: featureCount(input) };
    const way = { input: output, output: input, transposed: true } as const;
    const expected = countCellsPlain({ mask, ...way }, cols);
    expect(countCells({ mask: stored(mask), ...way }, cols)).toEqual(expected);
    expect(countCellsPlain({ mask: stored(mask), ...way }, cols)).toEqual(expected);
  });
});

test('a single zero is not rounded away', () => {
  const words = new Int32Array(400 * vectorWords(512)).fill(-1);
  words[0] = ~1;
  const mask = { name: 'one', sparsity: 1 / (400 * 512), rows: 400, width: 512, bits: keepBits(400, 512, words) };
  expect(isDense(mask)).toBe(false);
  const counts = countCells({ mask, input: strided(512), output: strided(400) }, 4);
  expect(counts.reduce((a, b) => a + b, 0)).toBe(400 * 512 - 1);
  expect(counts[0]).toBe(127);
});

describe('bits', () => {
  const words = Int32Array.of(0b1011, 0, 0, 0, 0b0100, 0, 0, 0);

  test('have a name that is the hash of their size and of them', () => {
    const bits = keepBits(2, 4, words);
    expect(bits).toMatch(/^[0-9a-f]{64}$/);
    expect(keepBits(2, 4, words.slice())).toBe(bits);
    expect(keepBits(2, 5, words)).not.toBe(bits);
    expect(storedBits({ name: 'w', bits, rows: 2, width: 4 })).toEqual(words);
    // Rows of one vector, the lowest byte first.
    expect([...readFileSync(join(folder, bits)).subarray(0, 17)]).toEqual([
      0b1011,
      ...Array.from({ length: 15 }, () => 0),
      0b0100,
    ]);
  });

  test('that are not there are asked for by name', () => {
    const missing = { name: 'h.0.mlp.c_fc', bits: '0'.repeat(64), rows: 2, width: 4 };
    expect(() => storedBits(missing)).toThrow(/h\.0\.mlp\.c_fc: the bits of its mask are not in .*ENOENT/);
  });

  test('that were changed, or cut short, are refused', () => {
    const bits = keepBits(3, 128, new Int32Array(12).fill(7));
    const path = join(folder, bits);
    const whole = readFileSync(path);
    for (const other of [whole.subarray(0, 44), Buffer.concat([whole.subarray(0, 47), Buffer.of(1)])]) {
      writeFileSync(path, other);
      expect(() => storedBits({ name: 'w', bits, rows: 3, width: 128 })).toThrow('w: the bits of its mask are damaged');
    }
    writeFileSync(path, whole);
    expect(storedBits({ name: 'w', bits, rows: 3, width: 128 })[11]).toBe(7);
  });
});
