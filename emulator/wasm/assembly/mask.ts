// Masks and their cell counts, in AssemblyScript: the twin of kernels/spmm/mask.ts and counts.ts, bit for bit. A vector is
// four words (128 weights); four vectors are drawn side by side, so that their draws overlap and their end is guessed wrong
// less often. A column's count is kept bit-sliced, one plane of 128 columns for each binary digit.

const DENSITY_BITS: i32 = 16;
const LANES: v128 = i32x4(0, 1, 2, 3);
/** Vectors drawn side by side, and their words. */
const SIDE: i32 = 4;
const SIDE_WORDS: i32 = 4 * SIDE;
/** The bit of the threshold from which on it is worth asking whether all weights of four vectors are decided. */
const ASKED_FROM: i32 = 5;

/** 128 random bits: four words, their first draw. */
// @ts-ignore: decorator
@inline
function randomWords(index: i32, keys: usize): v128 {
  let x = i32x4.mul(i32x4.add(i32x4.splat(index), LANES), i32x4.splat(0x9e3779b1));
  x = i32x4.add(x, v128.load32_splat(keys, 8 * (DENSITY_BITS - 1)));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x21f0aaad));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x735a2d97));
  x = i32x4.add(v128.xor(x, i32x4.shr_u(x, 15)), v128.load32_splat(keys, 8 * (DENSITY_BITS - 1) + 4));
  x = i32x4.mul(x, i32x4.splat(0x2c1b3c6d));
  return v128.xor(x, i32x4.shr_u(x, 15));
}

/** A further draw of `word`. */
// @ts-ignore: decorator
@inline
function drawn(word: v128, flip: v128, factor: v128): v128 {
  const x = i32x4.mul(v128.xor(word, flip), factor);
  return i32x4.mul(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(0x735a2d97));
}

/** In place of a threshold: `keys` are the rows of the mask, each of whole vectors. */
const STORED: i32 = -1;

/**
 * Writes a row of the mask, in whole vectors, up to 15 words beyond it; bits beyond `width` are 0. From the highest bit of
 * the threshold down: a weight is decided at the first bit in which its draw and the threshold differ, and open until then.
 */
export function maskRow(row: i32, wordsPerRow: i32, width: i32, threshold: i32, keys: usize, words: usize): void {
  if (threshold === STORED) {
    const bytes = <usize>((width + 127) >>> 7) << 4;
    memory.copy(words, keys + <usize>row * bytes, bytes);
    return;
  }
  const lowest = ctz(threshold);
  const first = row * wordsPerRow;
  /** All ones if the highest bit of the threshold is one. */
  const high = i32x4.splat(threshold >>> (DENSITY_BITS - 1) !== 0 ? -1 : 0);
  for (let i = 0; i < wordsPerRow; i += SIDE_WORDS) {
    const word0 = randomWords(first + i, keys);
    const word1 = randomWords(first + i + 4, keys);
    const word2 = randomWords(first + i + 8, keys);
    const word3 = randomWords(first + i + 12, keys);
    let kept0 = v128.and(word0, high);
    let open0 = v128.xor(word0, high);
    let kept1 = v128.and(word1, high);
    let open1 = v128.xor(word1, high);
    let kept2 = v128.and(word2, high);
    let open2 = v128.xor(word2, high);
    let kept3 = v128.and(word3, high);
    let open3 = v128.xor(word3, high);
    for (let bit = DENSITY_BITS - 2; bit >= lowest; bit--) {
      const pair = keys + (<usize>bit << 3);
      const flip = v128.load32_splat(pair);
      const factor = v128.load32_splat(pair, 4);
      const draw0 = v128.and(open0, drawn(word0, flip, factor));
      const draw1 = v128.and(open1, drawn(word1, flip, factor));
      const draw2 = v128.and(open2, drawn(word2, flip, factor));
      const draw3 = v128.and(open3, drawn(word3, flip, factor));
      if ((threshold >>> bit) & 1) {
        kept0 = v128.or(kept0, draw0);
        open0 = v128.xor(open0, draw0);
        kept1 = v128.or(kept1, draw1);
        open1 = v128.xor(open1, draw1);
        kept2 = v128.or(kept2, draw2);
        open2 = v128.xor(open2, draw2);
        kept3 = v128.or(kept3, draw3);
        open3 = v128.xor(open3, draw3);
      } else {
        open0 = draw0;
        open1 = draw1;
        open2 = draw2;
        open3 = draw3;
      }
      // Asked late: before, some weight of the 512 is most likely open.
      if (bit <= ASKED_FROM && !v128.any_true(v128.or(v128.or(v128.or(open0, open1), open2), open3))) break;
    }
    const at = words + (<usize>i << 2);
    v128.store(at, kept0, 0);
    v128.store(at, kept1, 16);
    v128.store(at, kept2, 32);
    v128.store(at, kept3, 48);
  }
  clearFrom(words, width, (wordsPerRow + SIDE_WORDS - 1) & ~(SIDE_WORDS - 1));
}

function clearFrom(words: usize, width: i32, padded: i32): void {
  let i = width >>> 5;
  if (width & 31) {
    const at = words + (<usize>i << 2);
    store<i32>(at, load<i32>(at) & ((1 << (width & 31)) - 1));
    i++;
  }
  for (; i < padded; i++) store<i32>(words + (<usize>i << 2), 0);
}

/** 128 bits from bit `bit` on. */
// @ts-ignore: decorator
@inline
function bitsFrom(words: usize, bit: i32): v128 {
  const at = words + (<usize>(bit >>> 5) << 2);
  const shift = bit & 31;
  const low = v128.load(at);
  if (shift === 0) return low;
  return v128.or(i32x4.shr_u(low, shift), i32x4.shl(v128.load(at, 4), 32 - shift));
}

/** Adds, for 16 columns, digit `weight` of their counts: the bits of bytes 2q and 2q + 1 of a plane. */
// @ts-ignore: decorator
@inline
function addDigit(sum: v128, plane: v128, pick: v128, weight: i32): v128 {
  const bits = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const set = i8x16.eq(v128.and(i8x16.swizzle(plane, pick), bits), bits);
  return v128.or(sum, v128.and(set, i8x16.splat(<i8>weight)));
}

/**
 * Counts of the strided layout: entry n * cols + p is the number of weights k of row order[n] with k mod cols = p that
 * are kept. `words` has room for the row and 8 * cols + 512 zero bits after it; `planes` for 16 vectors; `counts` for
 * 128 entries more than there are.
 */
export function countStrided(
  order: usize,
  features: i32,
  width: i32,
  threshold: i32,
  keys: usize,
  cols: i32,
  words: usize,
  planes: usize,
  counts: usize,
): void {
  const wordsPerRow = (width + 31) >>> 5;
  const groups = (width + cols - 1) / cols;
  const digits = 32 - clz(groups);
  for (let n = 0; n < features; n++) {
    const row = load<i32>(order + (<usize>n << 2));
    const cells = counts + (<usize>n * <usize>cols << 1);
    if (row < 0) {
      memory.fill(cells, 0, <usize>cols << 1);
      continue;
    }
    maskRow(row, wordsPerRow, width, threshold, keys, words);
    for (let column = 0; column < cols; column += 128) {
      countColumns(words, column, cols, groups, digits, planes);
      spread(planes, digits, cells + (<usize>column << 1));
    }
  }
}

/** Of a full adder of 128 columns: what is carried. Its sum is a xor b xor c. */
// @ts-ignore: decorator
@inline
function carried(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(v128.xor(a, b), c));
}

// @ts-ignore: decorator
@inline
function summed(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** Bit-sliced counts of 128 columns over all groups, eight groups at a time. */
function countColumns(words: usize, column: i32, cols: i32, groups: i32, digits: i32, planes: usize): void {
  let ones = i32x4.splat(0);
  let twos = i32x4.splat(0);
  let fours = i32x4.splat(0);
  let eights = i32x4.splat(0);
  for (let k = 4; k < digits; k++) v128.store(planes + (<usize>k << 4), i32x4.splat(0));
  const step = 8 * cols;
  // Groups beyond the row are zero: the words after it are.
  for (let g = 0, bit = column; g < groups; g += 8, bit += step) {
    let a = bitsFrom(words, bit);
    let b = bitsFrom(words, bit + cols);
    const twoA = carried(ones, a, b);
    ones = summed(ones, a, b);
    a = bitsFrom(words, bit + 2 * cols);
    b = bitsFrom(words, bit + 3 * cols);
    const twoB = carried(ones, a, b);
    ones = summed(ones, a, b);
    const fourA = carried(twos, twoA, twoB);
    twos = summed(twos, twoA, twoB);
    a = bitsFrom(words, bit + 4 * cols);
    b = bitsFrom(words, bit + 5 * cols);
    const twoC = carried(ones, a, b);
    ones = summed(ones, a, b);
    a = bitsFrom(words, bit + 6 * cols);
    b = bitsFrom(words, bit + 7 * cols);
    const twoD = carried(ones, a, b);
    ones = summed(ones, a, b);
    const fourB = carried(twos, twoC, twoD);
    twos = summed(twos, twoC, twoD);
    const eight = carried(fours, fourA, fourB);
    fours = summed(fours, fourA, fourB);
    let carry = v128.and(eights, eight);
    eights = v128.xor(eights, eight);
    for (let k = 4; k < digits; k++) {
      const at = planes + (<usize>k << 4);
      const plane = v128.load(at);
      v128.store(at, v128.xor(plane, carry));
      carry = v128.and(plane, carry);
    }
  }
  v128.store(planes, ones);
  v128.store(planes, twos, 16);
  v128.store(planes, fours, 32);
  v128.store(planes, eights, 48);
}

/** Planes to 128 counts of 16 bits. */
export function spread(planes: usize, digits: i32, cells: usize): void {
  for (let q = 0; q < 8; q++) {
    const first = i8x16.splat(<i8>(2 * q));
    const pick = i8x16.add(first, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
    let low = i32x4.splat(0);
    let high = i32x4.splat(0);
    const lowDigits = min(digits, 8);
    for (let k = 0; k < lowDigits; k++) low = addDigit(low, v128.load(planes + (<usize>k << 4)), pick, 1 << k);
    for (let k = 8; k < digits; k++) high = addDigit(high, v128.load(planes + (<usize>k << 4)), pick, 1 << (k - 8));
    const at = cells + (<usize>q << 5);
    v128.store(at, v128.or(i16x8.extend_low_i8x16_u(low), i16x8.shl(i16x8.extend_low_i8x16_u(high), 8)));
    v128.store(at, v128.or(i16x8.extend_high_i8x16_u(low), i16x8.shl(i16x8.extend_high_i8x16_u(high), 8)), 16);
  }
}

/** As countStrided for any layout: input feature k lies at position[k]. */
export function countPlaced(
  order: usize,
  features: i32,
  width: i32,
  threshold: i32,
  keys: usize,
  cols: i32,
  words: usize,
  position: usize,
  counts: usize,
): void {
  const wordsPerRow = (width + 31) >>> 5;
  memory.fill(counts, 0, <usize>features * <usize>cols << 1);
  for (let n = 0; n < features; n++) {
    const row = load<i32>(order + (<usize>n << 2));
    if (row < 0) continue;
    const cells = counts + (<usize>n * <usize>cols << 1);
    maskRow(row, wordsPerRow, width, threshold, keys, words);
    for (let i = 0; i < wordsPerRow; i++) {
      for (let bits = load<u32>(words + (<usize>i << 2)); bits !== 0; bits &= bits - 1) {
        const k = (i << 5) + <i32>ctz(bits);
        const cell = cells + (<usize>load<u16>(position + (<usize>k << 1)) << 1);
        store<u16>(cell, load<u16>(cell) + 1);
      }
    }
  }
}
