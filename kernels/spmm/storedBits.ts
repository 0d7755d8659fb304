// Bits of the masks of real matrices, as files of a folder: one a matrix, named by the sha256 of what it holds, so that who
// names a mask by its hash names its bits, on any computer and in any thread. Each thread is told the folder and reads
// for itself; what it read last it keeps.
//
// A file is the rows, each of whole vectors of 128 bits: bit b of word i of a row is 1 where weight 32 i + b is not zero, and
// bits beyond the width are 0. Words are 32 bits, the lowest byte first. The hash is over rows and width, as two words, and
// then these.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputError, internalError } from '../../emulator/errors.ts';

/** What is needed to find bits, and to know them when they are found. */
export interface BitsName {
  /** Of the matrix, for messages. */
  readonly name: string;
  readonly bits: string;
  readonly rows: number;
  readonly width: number;
}

/** Bits that a thread keeps; the last it read it keeps whatever their size. */
const MOST_KEPT_BYTES = 2 ** 26;

let folder: string | undefined;
/** Nobody named it, and it was not made yet. */
let isOwn = false;
const kept = new Map<string, Int32Array>();

/** Words of a row. */
export function vectorWords(width: number): number {
  return 4 * Math.ceil(width / 128);
}

/** The folder of this thread from now on. */
export function keepBitsIn(path: string): void {
  folder = path;
}

/** The folder of this thread: one of its own that goes with the process, if it was told none. */
export function bitsFolder(): string {
  if (folder === undefined) {
    folder = join(tmpdir(), `wafer-emulator-masks-${process.pid}-${randomBytes(6).toString('hex')}`);
    isOwn = true;
  }
  return folder;
}

/** Stores the bits of a matrix; the answer is their hash. */
export function keepBits(rows: number, width: number, words: Int32Array): string {
  if (words.length !== rows * vectorWords(width)) throw internalError('bits of another size than their matrix');
  const bits = hashOf(rows, width, words);
  const path = join(bitsFolder(), bits);
  if (existsSync(path)) return bits;
  makeFolder();
  // Others may write the same file now: it appears whole or not at all.
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, bytesOf(words));
  renameSync(beside, path);
  return bits;
}

function makeFolder(): void {
  const path = bitsFolder();
  mkdirSync(path, { recursive: true });
  if (isOwn) process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  isOwn = false;
}

/** Have the bits been stored here? */
export function hasBits(bits: string): boolean {
  return existsSync(join(bitsFolder(), bits));
}

export function storedBits({ name, bits, rows, width }: BitsName): Int32Array {
  const known = kept.get(bits);
  if (known !== undefined) {
    kept.delete(bits);
    kept.set(bits, known);
    return known;
  }
  const words = readBits(name, join(bitsFolder(), bits));
  if (words.length !== rows * vectorWords(width) || hashOf(rows, width, words) !== bits)
    throw inputError(`${name}: the bits of its mask are damaged in ${join(bitsFolder(), bits)}; delete that file`);
  kept.set(bits, words);
  let bytes = [...kept.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  for (const [oldest, { byteLength }] of kept) {
    if (bytes <= MOST_KEPT_BYTES || oldest === bits) break;
    kept.delete(oldest);
    bytes -= byteLength;
  }
  return words;
}

function readBits(name: string, path: string): Int32Array {
  try {
    const { buffer, byteOffset, length } = readFileSync(path);
    return new Int32Array(buffer.slice(byteOffset, byteOffset + (length & ~3)));
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw inputError(
      `${name}: the bits of its mask are not in ${path} (${why}); they come there when its model is loaded, e.g. by emulate masks`,
    );
  }
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function hashOf(rows: number, width: number, words: Int32Array): string {
  return createHash('sha256')
    .update(bytesOf(Int32Array.of(rows, width)))
    .update(bytesOf(words))
    .digest('hex');
}
