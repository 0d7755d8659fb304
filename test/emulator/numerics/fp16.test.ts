// fp16 against another implementation of IEEE 754 binary16 (@petamoriken/float16), over every half and over the floats
// where rounding is decided.

import { f16round, getFloat16 } from '@petamoriken/float16';
import { describe, expect, test } from 'vitest';
import {
  fp16,
  fp16Bits,
  fp16Value,
  highHalf,
  lowHalf,
  packPair,
  packSingle,
  single,
} from '../../../emulator/numerics/fp16.ts';
import { draws } from '../../fixtures/draws.ts';

const HALVES = 65536;

const bytes = new DataView(new ArrayBuffer(4));

/** The value of the bits by the other implementation. */
function otherValue(half: number): number {
  bytes.setUint16(0, half);
  return getFloat16(bytes, 0);
}

/** Counts the values for which both differ, so that a million comparisons are one assertion. */
function differences(values: Iterable<number>): number[] {
  const differ: number[] = [];
  for (const value of values) if (!Object.is(fp16(value), f16round(value)) && differ.length < 10) differ.push(value);
  return differ;
}

function* halves(): Generator<number> {
  for (let half = 0; half < HALVES; half++) yield half;
}

/** The float with these bits. */
function floatOf(bits: number): number {
  bytes.setUint32(0, bits);
  return bytes.getFloat32(0);
}

function bitsOf(value: number): number {
  bytes.setFloat32(0, value);
  return bytes.getUint32(0);
}

describe('every half', () => {
  test('has the value that its bits say', () => {
    const differ = [...halves()].filter((half) => !Object.is(fp16Value(half), otherValue(half)));
    expect(differ).toEqual([]);
  });

  test('is its own rounding, and its bits come back', () => {
    const differ = [...halves()].filter((half) => {
      const value = fp16Value(half);
      return Number.isNaN(value)
        ? (fp16Bits(value) & 0x7fff) <= 0x7c00
        : fp16Bits(value) !== half || f16round(value) !== value;
    });
    expect(differ).toEqual([]);
  });
});

function* ties(): Generator<number> {
  for (let half = 0; half < 0x7bff; half++) {
    const tie = (fp16Value(half) + fp16Value(half + 1)) / 2;
    for (const bits of [bitsOf(tie) - 1, bitsOf(tie), bitsOf(tie) + 1]) {
      yield floatOf(bits);
      yield -floatOf(bits);
    }
  }
}

function* anyFloats(): Generator<number> {
  const { int } = draws(7);
  for (let i = 0; i < 300_000; i++) yield floatOf((int(0, 0xffff) << 16) | int(0, 0xffff));
}

function* nearHalves(): Generator<number> {
  const { int } = draws(8);
  for (let i = 0; i < 300_000; i++) yield floatOf(((int(100, 145) << 23) | (int(0, 1) << 31) | int(0, 0x7fffff)) >>> 0);
}

describe('rounding to nearest even', () => {
  test('of every tie between two halves and the floats beside it', () => expect(differences(ties())).toEqual([]));

  test('of any floats, infinities and NaN included', () => expect(differences(anyFloats())).toEqual([]));

  test('of floats of the size of halves, subnormals and overflow included', () =>
    expect(differences(nearHalves())).toEqual([]));

  test('at the ends of the range', () => {
    expect(
      differences([0, -0, 65504, 65519.99, 65520, 65536, -65520, 2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, 1e-40, NaN]),
    ).toEqual([]);
    expect(fp16(65519.99)).toBe(65504);
    expect(fp16(65520)).toBe(Infinity);
    expect(fp16(2 ** -25)).toBe(0);
  });
});

describe('wavelets', () => {
  test('hold two halves, the first in the low half', () => {
    const wavelet = packPair(1.5, -2);
    expect([lowHalf(wavelet), highHalf(wavelet)]).toEqual([1.5, -2]);
    expect(wavelet & 0xffff).toBe(fp16Bits(1.5));
  });

  test('or one single', () => {
    for (const value of [0, -0, 1 / 3, -1e30, Infinity])
      expect(single(packSingle(Math.fround(value)))).toBe(Math.fround(value));
  });
});
