// A tensor of a checkpoint: where its numbers lie in a file, and what they are. Formats differ only in how they say this.

import { inputError } from '../emulator/errors.ts';

/** Bytes of a number. */
export const NUMBER_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type NumberType = keyof typeof NUMBER_BYTES;

export interface Tensor {
  readonly name: string;
  /** A type that is not among those of NumberType cannot be read; it is there to be named. */
  readonly type: string;
  /** Slowest index first. */
  readonly shape: readonly number[];
  readonly file: string;
  /** Of its first number; in `held`, if that is there. */
  readonly offset: number;
  /** Numbers that do not lie in the file as they are (compressed ones), unpacked. */
  readonly held?: Uint8Array;
}

export function isNumberType(type: string): type is NumberType {
  return Object.hasOwn(NUMBER_BYTES, type);
}

/** Numbers of a shape; NaN if they are more than can be counted. */
export function numbersOf(shape: readonly number[]): number {
  const all = shape.reduce((product, size) => product * size, 1);
  return Number.isSafeInteger(all) ? all : Number.NaN;
}

/** A region of a file that a header says belongs to a tensor. */
export interface Region {
  readonly name: string;
  readonly from: number;
  readonly until: number;
}

/** Throws if regions overlap or leave `[from, until)`. The answer is the regions in the order of the file. */
export function checkRegions(path: string, regions: readonly Region[], from: number, until: number): Region[] {
  const sorted = regions.toSorted((a, b) => a.from - b.from || a.until - b.until);
  let before: Region | undefined;
  for (const region of sorted) {
    if (!(region.from >= from && region.from <= region.until && region.until <= until))
      throw inputError(
        `${path}: tensor ${shown(region.name)} lies in bytes ${region.from} to ${region.until}, allowed ${from} to ${until}; the file is truncated or its header wrong`,
      );
    if (before !== undefined && region.from < before.until)
      throw inputError(
        `${path}: tensors ${shown(before.name)} and ${shown(region.name)} overlap, from byte ${region.from} to ${Math.min(before.until, region.until)}`,
      );
    if (region.until > region.from) before = region;
  }
  return sorted;
}

const LONGEST_NAME = 200;

/** A name out of a file, which may be anything. */
export function shown(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name);
}
