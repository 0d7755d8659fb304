// IEEE 754 binary16 values held in float32: rounding to nearest even, packing into wavelets, and back. Every fp16 value
// is exact in float32, so memories are Float32Arrays and only results are rounded.

const word = new Float32Array(1);
const bits = new Int32Array(word.buffer);

/** Bits of the fp16 nearest to `value` (ties to even; overflow to infinity), 0 .. 65535. */
export function fp16Bits(value: number): number {
  word[0] = value;
  const x = bits[0];
  const sign = (x >>> 16) & 0x8000;
  const exponent = (x >>> 23) & 0xff;
  const fraction = x & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e > 0) {
    const kept = (e << 10) | (fraction >>> 13);
    const rest = fraction & 0x1fff;
    return sign | (kept + (rest > 0x1000 || (rest === 0x1000 && (kept & 1) === 1) ? 1 : 0));
  }
  if (e < -10) return sign;
  // Subnormal: shift the full significand into units of 2^-24.
  const significand = fraction | 0x800000;
  const shift = 14 - e;
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** The value of fp16 bits. */
export function fp16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The fp16 nearest to `value`. */
export function fp16(value: number): number {
  return fp16Value(fp16Bits(value));
}

/** A wavelet of two fp16 values, the first in the low half. */
export function packPair(low: number, high: number): number {
  return fp16Bits(low) | (fp16Bits(high) << 16);
}

export function lowHalf(wavelet: number): number {
  return fp16Value(wavelet & 0xffff);
}

export function highHalf(wavelet: number): number {
  return fp16Value(wavelet >>> 16);
}

/** A wavelet of one fp32 value. */
export function packSingle(value: number): number {
  word[0] = value;
  return bits[0];
}

export function single(wavelet: number): number {
  bits[0] = wavelet;
  return word[0];
}
