// .npz (NumPy): a zip of .npy arrays, stored or deflated. Of the zip only the central directory at its end is believed
// (APPNOTE.TXT of PKWARE, 4.3); zip64 is read, since a file may be larger than 4 GB. Stored arrays are read where they
// lie, deflated ones are unpacked into memory.

import { inflateRawSync } from 'node:zlib';
import { inputError } from '../emulator/errors.ts';
import { bytesAt, type OpenFile, withFile } from './file.ts';
import { type NpyTensor, readNpy } from './npy.ts';
import { shown } from './tensor.ts';

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const ZIP64_EXTRA = 1;
const IN_ZIP64 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const MOST_COMMENT_BYTES = 65_535;
const MOST_UNPACKED_BYTES = 2 ** 31 - 1;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly at: number;
}

export function readNpz(path: string): NpyTensor[] {
  return withFile(path, (file) =>
    entriesOf(file)
      .filter(({ name }) => name.endsWith('.npy'))
      .map((entry) => arrayOf(file, entry)),
  );
}

function arrayOf(file: OpenFile, entry: Entry): NpyTensor {
  const { name, method, packed, unpacked } = entry;
  const what = `array ${shown(name)}`;
  const local = bytesAt(file, entry.at, LOCAL_BYTES, what);
  if (local.readUInt32LE() !== LOCAL) throw inputError(`${file.path}: ${what} is not where the directory says`);
  const from = entry.at + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const short = name.slice(0, -'.npy'.length);
  if (method === STORED)
    return readNpy(short, file.path, from, packed, (offset, length) => bytesAt(file, from + offset, length, what));
  if (method !== DEFLATED || unpacked > MOST_UNPACKED_BYTES)
    throw inputError(`${file.path}: ${what} is packed by method ${method} into ${packed} bytes, allowed stored arrays`);
  const held = inflated(bytesAt(file, from, packed, what), unpacked, `${file.path}: ${what}`);
  const tensor = readNpy(short, file.path, 0, held.length, (offset, length) => held.subarray(offset, offset + length));
  return { ...tensor, held };
}

function inflated(packed: Buffer, bytes: number, what: string): Buffer {
  try {
    const held = inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
    if (held.length === bytes) return held;
  } catch {
    // Said below, as an array that is too short is.
  }
  throw inputError(`${what} does not unpack to the ${bytes} bytes that the directory says`);
}

function entriesOf(file: OpenFile): Entry[] {
  const { at, bytes, count } = directoryOf(file);
  const directory = bytesAt(file, at, bytes, 'the directory');
  const entries: Entry[] = [];
  for (let from = 0, i = 0; i < count; i++) {
    if (from + ENTRY_BYTES > bytes || directory.readUInt32LE(from) !== ENTRY)
      throw inputError(`${file.path}: the directory has ${i} entries, it says ${count}`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(from + field));
    const until = from + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (until > bytes) throw inputError(`${file.path}: entry ${i} leaves the directory`);
    const name = directory.toString('utf8', from + ENTRY_BYTES, from + ENTRY_BYTES + nameBytes);
    const extra = directory.subarray(from + ENTRY_BYTES + nameBytes, from + ENTRY_BYTES + nameBytes + extraBytes);
    // In this order, and in zip64 only those that do not fit here.
    const [unpacked, packed, local] = widened(
      [24, 20, 42].map((field) => directory.readUInt32LE(from + field)),
      extra,
    );
    entries.push({ name, method: directory.readUInt16LE(from + 10), packed, unpacked, at: local });
    from = until;
  }
  return entries;
}

function widened(values: readonly number[], extra: Buffer): number[] {
  let wide: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === ZIP64_EXTRA) wide = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  let next = 0;
  return values.map((value) => {
    if (value !== IN_ZIP64 || next + 8 > wide.length) return value;
    next += 8;
    return Number(wide.readBigUInt64LE(next - 8));
  });
}

function directoryOf(file: OpenFile): { readonly at: number; readonly bytes: number; readonly count: number } {
  const tailBytes = Math.min(file.bytes, END_BYTES + MOST_COMMENT_BYTES);
  const tail = bytesAt(file, file.bytes - tailBytes, tailBytes, 'the end of the directory');
  for (let from = tailBytes - END_BYTES; from >= 0; from--) {
    if (tail.readUInt32LE(from) !== END) continue;
    const count = tail.readUInt16LE(from + 10);
    const bytes = tail.readUInt32LE(from + 12);
    const at = tail.readUInt32LE(from + 16);
    if (count !== 0xffff && bytes !== IN_ZIP64 && at !== IN_ZIP64) return { at, bytes, count };
    return directory64(file, file.bytes - tailBytes + from);
  }
  throw inputError(`${file.path}: not a .npz file, or truncated: a zip ends with its directory`);
}

function directory64(file: OpenFile, endAt: number): { at: number; bytes: number; count: number } {
  const what = 'the zip64 directory';
  const locator = bytesAt(file, Math.max(0, endAt - 20), 20, what);
  const end =
    locator.readUInt32LE() === LOCATOR64 ? bytesAt(file, Number(locator.readBigUInt64LE(8)), 56, what) : locator;
  if (end.readUInt32LE() !== END64) throw inputError(`${file.path}: ${what} is missing`);
  const [count, bytes, at] = [32, 40, 48].map((field) => Number(end.readBigUInt64LE(field)));
  return { at, bytes, count };
}
