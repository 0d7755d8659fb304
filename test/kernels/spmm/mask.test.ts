// Are the zeros of a mask what they claim to be: independent draws of one probability, in every row, column, bit of a word
// and matrix, and the same bits for whoever makes them in whatever order? Bounds are in standard deviations; seeds are
// fixed, so a test that passes keeps passing.

import { describe, expect, test } from 'vitest';
import { densityThreshold, type Mask, maskRow, maskSource } from '../../../kernels/spmm/mask.ts';

const ROWS = 900;
const WIDTH = 1_003;
const sparsities = [0.5, 0.75, 0.9, 0.889, 0.1, 1 / 3, 0.999];

function maskOf(parts: Partial<Mask> = {}): Mask {
  return { name: 'h.0.mlp.c_fc', seed: 1, sparsity: 0.75, rows: ROWS, width: WIDTH, ...parts };
}

/** Bits of all rows as bytes, [rows][width]. */
function bitsOf(mask: Mask): Uint8Array {
  const source = maskSource(mask);
  const words = new Int32Array(source.wordsPerRow);
  const bits = new Uint8Array(mask.rows * mask.width);
  for (let row = 0; row < mask.rows; row++) {
    maskRow(source, row, words);
    for (let k = 0; k < mask.width; k++) bits[row * mask.width + k] = (words[k >> 5] >>> (k & 31)) & 1;
  }
  return bits;
}

/** Probability that a weight is kept. */
function density(sparsity: number): number {
  return densityThreshold(sparsity) / 65_536;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

/** How far a number of kept weights lies from the mean, in standard deviations. */
function deviation(kept: number, draws: number, p: number): number {
  return (kept - draws * p) / Math.sqrt(draws * p * (1 - p));
}

/** Chi-square of counts of `draws` each, as a normal deviate: too uneven is large, too even is negative. */
function unevenness(counts: ArrayLike<number>, draws: number, p: number): number {
  let chi = 0;
  for (let i = 0; i < counts.length; i++) chi += deviation(counts[i], draws, p) ** 2;
  return (chi - counts.length) / Math.sqrt(2 * counts.length);
}

/** Of two equally long bit strings: agreement beyond chance, in standard deviations. */
function correlation(a: Uint8Array, b: Uint8Array, p: number): number {
  let both = 0;
  for (let i = 0; i < a.length; i++) both += (a[i] - p) * (b[i] - p);
  return both / (p * (1 - p) * Math.sqrt(a.length));
}

describe.each(sparsities)('sparsity %f', (sparsity) => {
  const p = density(sparsity);
  const bits = bitsOf(maskOf({ sparsity }));

  test('keeps its share of the weights', () => {
    expect(Math.abs(p - (1 - sparsity))).toBeLessThanOrEqual(0.5 / 65_536);
    expect(Math.abs(deviation(sum(bits), bits.length, p))).toBeLessThan(4);
  });

  test('has binomial rows, columns and bits of a word', () => {
    const rows = new Int32Array(ROWS);
    const columns = new Int32Array(WIDTH);
    const ofWord = new Int32Array(32);
    // Whole words only: every bit of a word is then drawn equally often.
    const whole = WIDTH - (WIDTH % 32);
    bits.forEach((bit, i) => {
      rows[Math.floor(i / WIDTH)] += bit;
      columns[i % WIDTH] += bit;
      if (i % WIDTH < whole) ofWord[(i % WIDTH) & 31] += bit;
    });
    expect(Math.abs(unevenness(rows, WIDTH, p))).toBeLessThan(4);
    expect(Math.abs(unevenness(columns, ROWS, p))).toBeLessThan(4);
    expect(Math.abs(unevenness(ofWord, (ROWS * whole) / 32, p))).toBeLessThan(4);
  });

  test('has binomial cells', () => {
    // Cells of a matrix on 17 columns: the features k with k mod 17 = p of one row.
    const cells = new Int32Array(ROWS * 17);
    const draws = Math.floor(WIDTH / 17);
    bits.forEach((bit, i) => {
      const k = i % WIDTH;
      if (k < 17 * draws) cells[Math.floor(i / WIDTH) * 17 + (k % 17)] += bit;
    });
    expect(Math.abs(unevenness(cells, draws, p))).toBeLessThan(4);
  });

  test('has weights that know nothing of those near them', () => {
    for (const step of [1, 2, 31, 32, 33, 64, WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH, 32 * WIDTH]) {
      const near = correlation(bits.subarray(0, bits.length - step), bits.subarray(step), p);
      expect(Math.abs(near), `${step} weights on`).toBeLessThan(4.5);
    }
  });
});

test('any two bits of a word are independent, and any three in a row of five', () => {
  // The bits of a word come from one hash: here a dependence would be.
  for (const sparsity of [0.9, 0.7, 0.35]) {
    const p = density(sparsity);
    const rows = 4000;
    const width = 3200;
    const source = maskSource(maskOf({ sparsity, rows, width }));
    const words = new Int32Array(source.wordsPerRow);
    const pairs = new Int32Array(32 * 32);
    const triples = new Int32Array(32 * 16);
    for (let row = 0; row < rows; row++) {
      maskRow(source, row, words);
      for (const word of words)
        for (let bits = word; bits !== 0; bits &= bits - 1) {
          const first = 31 - Math.clz32(bits & -bits);
          for (let rest = bits & (bits - 1); rest !== 0; rest &= rest - 1)
            pairs[first * 32 + 31 - Math.clz32(rest & -rest)]++;
          const after = (word >>> first) >>> 1;
          for (let pattern = 0; pattern < 16; pattern++)
            if ((after & pattern) === pattern) triples[first * 16 + pattern]++;
        }
    }
    const draws = (rows * width) / 32;
    let most = 0;
    for (let a = 0; a < 32; a++)
      for (let b = a + 1; b < 32; b++) most = Math.max(most, Math.abs(deviation(pairs[a * 32 + b], draws, p * p)));
    expect(most).toBeLessThan(4.5);
    most = 0;
    for (let a = 0; a + 4 < 32; a++)
      for (const pattern of [0b0011, 0b0101, 0b1010, 0b1001, 0b1100, 0b0110])
        most = Math.max(most, Math.abs(deviation(triples[a * 16 + pattern], draws, p ** 3)));
    expect(most).toBeLessThan(4.5);
  }
});

test('different names, seeds and rows are uncorrelated', () => {
  const names = ['h.0.attn.c_attn', 'h.1.attn.c_attn', 'h.10.attn.c_attn', 'h.0.mlp.c_fc', 'a', 'b', 'ab', 'ba', ''];
  const masks = [
    ...names.map((name) => maskOf({ name })),
    ...[0, 2, 3, 2 ** 31, -1].map((seed) => maskOf({ seed })),
    maskOf({ name: 'h.1.attn.c_attn', seed: 2 }),
  ].map((mask) => bitsOf({ ...mask, rows: 100 }));
  const p = density(0.75);
  const deviations: number[] = [];
  masks.forEach((a, i) => masks.slice(i + 1).forEach((b) => deviations.push(correlation(a, b, p))));
  expect(Math.max(...deviations.map(Math.abs))).toBeLessThan(4.5);
  // As a crowd they are as wide as chance makes them.
  expect(Math.sqrt(sum(deviations.map((d) => d * d)) / deviations.length)).toBeCloseTo(1, 0);

  const rows = Array.from({ length: 60 }, (_, row) => masks[0].subarray(row * WIDTH, (row + 1) * WIDTH));
  const between = rows.flatMap((a, i) => rows.slice(i + 1).map((b) => correlation(a, b, p)));
  expect(Math.max(...between.map(Math.abs))).toBeLessThan(5);
});

test('the same statistics see a mask that is not random', () => {
  const p = density(0.75);
  const bits = bitsOf(maskOf());
  const regular = bits.map((_, i) => (i % 4 === 0 ? 1 : 0));
  expect(Math.abs(correlation(regular.subarray(4), regular.subarray(0, -4), p))).toBeGreaterThan(100);
  const twice = bits.map((bit, i) => (i % 2 === 0 ? bit : bits[i - 1]));
  expect(correlation(twice.subarray(1), twice.subarray(0, -1), p)).toBeGreaterThan(100);
  const denser = bits.map((bit, i) => (i % 100 === 0 ? 1 : bit));
  expect(deviation(sum(denser), denser.length, p)).toBeGreaterThan(4);
  const rows = Array.from({ length: ROWS }, (_, row) => sum(bits.subarray(row * WIDTH, (row + 1) * WIDTH)));
  expect(Math.abs(unevenness(rows, WIDTH, p))).toBeLessThan(4);
  expect(
    unevenness(
      rows.map((count, row) => count + (row % 2) * 20 - 10),
      WIDTH,
      p,
    ),
  ).toBeGreaterThan(4);
  expect(unevenness(rows.fill(WIDTH * p), WIDTH, p)).toBeLessThan(-4);
});

test('a row is the same whoever makes it, and when', () => {
  const source = maskSource(maskOf({ sparsity: 0.9 }));
  const row = (which: number, of = source): number[] => {
    const words = new Int32Array(of.wordsPerRow).fill(0x55555555);
    maskRow(of, which, words);
    return [...words];
  };
  const forward = Array.from({ length: 50 }, (_, i) => row(i));
  for (let i = 49; i >= 0; i--) expect(row(i)).toEqual(forward[i]);
  expect(row(17, maskSource(maskOf({ sparsity: 0.9 })))).toEqual(forward[17]);
  // The number of rows is not part of what a row is.
  expect(row(17, maskSource(maskOf({ sparsity: 0.9, rows: 40 })))).toEqual(forward[17]);
  expect(row(17, maskSource(maskOf({ sparsity: 0.9, seed: 2 })))).not.toEqual(forward[17]);
});

test('sparsity 0 keeps every weight, 1 keeps none, and no bit is set beyond the last weight', () => {
  for (const width of [1, 31, 32, 33, 1003]) {
    expect(sum(bitsOf(maskOf({ sparsity: 0, rows: 3, width })))).toBe(3 * width);
    expect(sum(bitsOf(maskOf({ sparsity: 1, rows: 3, width })))).toBe(0);
    for (const sparsity of [0, 0.5, 1]) {
      const source = maskSource(maskOf({ sparsity, width }));
      const words = new Int32Array(source.wordsPerRow);
      maskRow(source, 5, words);
      const last = words[words.length - 1];
      if (width % 32 !== 0) expect(last >>> (width % 32)).toBe(0);
    }
  }
});

test('sparsities that 16 bits cannot tell apart are one, others are not', () => {
  expect(densityThreshold(0.5)).toBe(32_768);
  expect(densityThreshold(0.9)).toBe(6554);
  expect(densityThreshold(0.5 + 1 / 65_536)).toBe(32_767);
});
