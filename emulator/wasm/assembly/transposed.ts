// Cell counts of a transposed mask, in AssemblyScript: what streams are the columns of the mask, and its rows lie at ring
// positions. The rows of a position are added up 128 weights at a time, counts bit-sliced as in mask.ts; eight positions
// are then written side by side.

import { maskRow, spread } from './mask';

/** Positions that are written together. */
const SIDE: i32 = 8;

/**
 * Entry n * cols + p becomes the number of rows at position p whose weight order[n] is kept; 0 where order[n] is -1.
 * The rows of position p are rows[from[p]] to rows[from[p + 1]]. `planes` has room for `digits` vectors for each 128
 * weights of a row, `sums` for 8 rows of whole vectors of 16 bits.
 */
export function countTransposed(
  order: usize,
  features: i32,
  rows: usize,
  from: usize,
  width: i32,
  threshold: i32,
  keys: usize,
  cols: i32,
  words: usize,
  digits: i32,
  planes: usize,
  sums: usize,
  counts: usize,
): void {
  const wordsPerRow = (width + 31) >>> 5;
  const vectors = (width + 127) >>> 7;
  const sumBytes = <usize>vectors << 8;
  for (let p = 0; p < cols; p += SIDE) {
    const side = min(SIDE, cols - p);
    for (let i = 0; i < side; i++) {
      const begin = load<i32>(from + (<usize>(p + i) << 2));
      const end = load<i32>(from + (<usize>(p + i + 1) << 2));
      memory.fill(planes, 0, <usize>(vectors * digits) << 4);
      for (let r = begin; r < end; r++) {
        maskRow(load<i32>(rows + (<usize>r << 2)), wordsPerRow, width, threshold, keys, words);
        addRow(words, vectors, digits, planes);
      }
      for (let v = 0; v < vectors; v++)
        spread(planes + (<usize>(v * digits) << 4), digits, sums + <usize>i * sumBytes + (<usize>v << 8));
    }
    interleave(order, features, cols, p, side, sums, sumBytes, counts);
  }
}

function addRow(words: usize, vectors: i32, digits: i32, planes: usize): void {
  for (let v = 0; v < vectors; v++) {
    let carry = v128.load(words + (<usize>v << 4));
    const own = planes + (<usize>(v * digits) << 4);
    for (let k = 0; k < digits && v128.any_true(carry); k++) {
      const at = own + (<usize>k << 4);
      const plane = v128.load(at);
      v128.store(at, v128.xor(plane, carry));
      carry = v128.and(plane, carry);
    }
  }
}

function interleave(
  order: usize,
  features: i32,
  cols: i32,
  p: i32,
  side: i32,
  sums: usize,
  sumBytes: usize,
  counts: usize,
): void {
  for (let n = 0; n < features; n++) {
    const k = load<i32>(order + (<usize>n << 2));
    const cell = counts + ((<usize>n * <usize>cols + <usize>p) << 1);
    for (let i = 0; i < side; i++)
      store<u16>(cell + (<usize>i << 1), k < 0 ? 0 : load<u16>(sums + <usize>i * sumBytes + (<usize>k << 1)));
  }
}
