// Which weights of a matrix are zero. A mask is a rule or bits that are stored.
//
// Bits are those of a real matrix, in a file that is named by their hash (storedBits.ts).
//
// The rule: uniform random, independent, from a counter-based generator, so that any row can be made at any time by anyone
// and timing and values see the same bits. 32 weights at a time: each is kept with probability threshold / 2^16, by one
// random bit for each bit of the threshold ("bit-sliced Bernoulli"). The generator mixes (counter, key) by the 32-bit finaliser of C. Wellons ("lowbias32", hash prospector) and one more
// multiply-xorshift round under a second key. That word is the first draw; each further one is a round of its own on it,
// an odd multiplier and a key for each, all made from the seed and the matrix's name.

import { storedBits, vectorWords } from './storedBits.ts';

/** Resolution of a density. */
export const DENSITY_BITS = 16;

interface MatrixMask {
  readonly name: string;
  /** Share of the weights that are zero. */
  readonly sparsity: number;
  /** Weights [rows][width]. */
  readonly rows: number;
  readonly width: number;
}

/** The name is part of the key: matrices of one seed are independent. */
export interface DrawnMask extends MatrixMask {
  readonly seed: number;
}

/** What is zero stands in a file; `sparsity` is counted. */
export interface StoredMask extends MatrixMask {
  /** sha256 of the bits (storedBits.ts). */
  readonly bits: string;
}

export type Mask = DrawnMask | StoredMask;

export function isStored(mask: Mask): mask is StoredMask {
  return 'bits' in mask;
}

/** Has it no zero? */
export function isDense(mask: Mask): boolean {
  return isStored(mask) ? mask.sparsity === 0 : densityThreshold(mask.sparsity) === 2 ** DENSITY_BITS;
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

/** Kept weights in 2^16. */
export function densityThreshold(sparsity: number): number {
  return Math.round((1 - sparsity) * 2 ** DENSITY_BITS);
}

/**
 * Keys of a matrix, two for each bit of the threshold: of the highest, the keys of the word itself; of the others, what is
 * flipped and an odd multiplier.
 */
function maskKeys({ name, seed }: DrawnMask): Int32Array {
  let key = mix(seed + 0x9e3779b9);
  for (let i = 0; i < name.length; i++) key = mix(key ^ name.charCodeAt(i)) + 0x9e3779b9;
  return Int32Array.from({ length: 2 * DENSITY_BITS }, (_, i) => {
    key = (key + 0x9e3779b9) | 0;
    return mix(mix(key)) | (i & 1);
  });
}

/** In place of a threshold: the rows are stored. */
export const STORED = -1;

export interface MaskSource {
  readonly mask: Mask;
  readonly wordsPerRow: number;
  readonly threshold: number;
  /** Of the rule; where rows are stored, these, each of whole vectors of 128 bits. */
  readonly keys: Int32Array;
}

export function maskSource(mask: Mask): MaskSource {
  const wordsPerRow = Math.ceil(mask.width / 32);
  if (isStored(mask)) return { mask, wordsPerRow, threshold: STORED, keys: storedBits(mask) };
  return {
    mask,
    wordsPerRow,
    threshold: densityThreshold(mask.sparsity),
    keys: maskKeys(mask),
  };
}

function randomWord(index: number, keys: Int32Array): number {
  let x = Math.imul(index, 0x9e3779b1) + keys[2 * DENSITY_BITS - 2];
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  x = Math.imul((x ^ (x >>> 15)) + keys[2 * DENSITY_BITS - 1], 0x2c1b3c6d);
  return x ^ (x >>> 15);
}

/** Writes row `row` to `words` (wordsPerRow of them): bit b of word i is 1 where weight 32 i + b is not zero. */
export function maskRow({ mask, wordsPerRow, threshold, keys }: MaskSource, row: number, words: Int32Array): void {
  if (threshold === STORED) {
    const from = row * vectorWords(mask.width);
    words.set(keys.subarray(from, from + wordsPerRow));
    return;
  }
  if (threshold === 2 ** DENSITY_BITS) words.fill(-1, 0, wordsPerRow);
  else if (threshold === 0) words.fill(0, 0, wordsPerRow);
  else {
    const lowest = 31 - Math.clz32(threshold & -threshold);
    for (let i = 0; i < wordsPerRow; i++) {
      const word = randomWord(row * wordsPerRow + i, keys);
      let kept = 0;
      for (let bit = lowest; bit < DENSITY_BITS; bit++) {
        let x = word;
        if (bit < DENSITY_BITS - 1) {
          x = Math.imul(word ^ keys[2 * bit], keys[2 * bit + 1]);
          x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
        }
        kept = (threshold >>> bit) & 1 ? kept | x : kept & x;
      }
      words[i] = kept;
    }
  }
  const rest = mask.width & 31;
  if (rest !== 0) words[wordsPerRow - 1] &= (1 << rest) - 1;
}
