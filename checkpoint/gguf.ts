// GGUF (llama.cpp): magic, version, counts, metadata, tensor infos, then the numbers at multiples of general.alignment:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Versions 2 and 3, lowest byte first. Sizes of a tensor stand
// fastest first, so those of a matrix of a linear layer are [in, out]. Quantised tensors are known by size, not read.

import { inputError } from '../emulator/errors.ts';
import { Cursor } from './cursor.ts';
import { withFile } from './file.ts';
import { checkRegions, numbersOf, shown, type Tensor } from './tensor.ts';

/** Type, numbers of a block, bytes of a block, by ggml's own number. */
const TYPES: ReadonlyMap<number, readonly [name: string, block: number, bytes: number]> = new Map([
  [0, ['F32', 1, 4]],
  [1, ['F16', 1, 2]],
  [2, ['Q4_0', 32, 18]],
  [3, ['Q4_1', 32, 20]],
  [6, ['Q5_0', 32, 22]],
  [7, ['Q5_1', 32, 24]],
  [8, ['Q8_0', 32, 34]],
  [10, ['Q2_K', 256, 84]],
  [11, ['Q3_K', 256, 110]],
  [12, ['Q4_K', 256, 144]],
  [13, ['Q5_K', 256, 176]],
  [14, ['Q6_K', 256, 210]],
  [15, ['Q8_K', 256, 292]],
  [24, ['I8', 1, 1]],
  [25, ['I16', 1, 2]],
  [26, ['I32', 1, 4]],
  [27, ['I64', 1, 8]],
  [28, ['F64', 1, 8]],
  [30, ['BF16', 1, 2]],
]);

/** Bytes of a value of metadata by its type: u8 i8 u16 i16 u32 i32 f32 bool, then string and array, then u64 i64 f64. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;
const STRING = 8;
const ARRAY = 9;

const MOST_KEY_BYTES = 65_535;
const MOST_TEXT_BYTES = 2 ** 24;
const MOST_DIMENSIONS = 4;

export type Metadata = ReadonlyMap<string, string | number | boolean>;

export interface Gguf {
  /** Numbers and texts; arrays are left out. */
  readonly metadata: Metadata;
  readonly tensors: readonly Tensor[];
}

export function readGguf(path: string): Gguf {
  return withFile(path, (file) => {
    const cursor = new Cursor(file);
    if (cursor.take(4, 'the magic').toString('latin1') !== 'GGUF') throw inputError(`${path}: not a GGUF file`);
    const version = cursor.u32('the version');
    if (version !== 2 && version !== 3)
      throw inputError(
        `${path}: GGUF version ${version}, allowed 2 and 3${version > 65_535 ? '; it is of the other byte order' : ''}`,
      );
    const tensorCount = cursor.u64('the number of tensors');
    const keys = cursor.u64('the number of keys');
    const metadata = new Map<string, string | number | boolean>();
    for (let i = 0; i < keys; i++) {
      const key = cursor.text(cursor.u64('a key'), 'a key', MOST_KEY_BYTES);
      const value = valueOf(cursor, cursor.u32(key), key, path);
      if (value !== undefined) metadata.set(key, value);
    }
    const infos: (Tensor & { readonly bytes: number })[] = [];
    for (let i = 0; i < tensorCount; i++) infos.push(infoOf(cursor, path));
    const alignment = metadata.get('general.alignment') ?? 32;
    if (typeof alignment !== 'number' || alignment < 1 || !Number.isSafeInteger(alignment))
      throw inputError(
        `${path}: general.alignment is ${shown(String(alignment))}, allowed a whole number of at least 1`,
      );
    const start = Math.ceil(cursor.at / alignment) * alignment;
    const tensors = infos.map((info) => ({ ...info, offset: start + info.offset }));
    const regions = tensors.map(({ name, offset, bytes }) => ({ name, from: offset, until: offset + bytes }));
    checkRegions(path, regions, start, Math.max(start, file.bytes));
    return {
      metadata,
      tensors: tensors.map(({ name, type, shape, offset }) => ({ name, type, shape, file: path, offset })),
    };
  });
}

function infoOf(cursor: Cursor, path: string): Tensor & { readonly bytes: number } {
  const name = cursor.text(cursor.u64('the name of a tensor'), 'the name of a tensor', MOST_KEY_BYTES);
  const dimensions = cursor.u32(name);
  if (dimensions > MOST_DIMENSIONS)
    throw inputError(`${path}: tensor ${shown(name)} has ${dimensions} dimensions, allowed ${MOST_DIMENSIONS}`);
  const shape = Array.from({ length: dimensions }, () => cursor.u64(name)).toReversed();
  const number = cursor.u32(name);
  const offset = cursor.u64(name);
  const known = TYPES.get(number);
  const [type, block, blockBytes] = known ?? [`of ggml type ${number}`, 1, 0];
  const bytes = (numbersOf(shape) / block) * blockBytes;
  if (!Number.isSafeInteger(bytes))
    throw inputError(`${path}: tensor ${shown(name)} of ${type} has the impossible shape [${shape.join(', ')}]`);
  return { name, type, shape, file: path, offset, bytes };
}

function valueOf(cursor: Cursor, type: number, key: string, path: string): string | number | boolean | undefined {
  if (type === STRING) return cursor.text(cursor.u64(key), key, MOST_TEXT_BYTES);
  if (type === ARRAY) {
    skipArray(cursor, key, path);
    return undefined;
  }
  const bytes = cursor.take(valueBytes(type, key, path), key);
  switch (type) {
    case 0:
      return bytes.readUInt8();
    case 1:
      return bytes.readInt8();
    case 2:
      return bytes.readUInt16LE();
    case 3:
      return bytes.readInt16LE();
    case 4:
      return bytes.readUInt32LE();
    case 5:
      return bytes.readInt32LE();
    case 6:
      return bytes.readFloatLE();
    case 7:
      return bytes.readUInt8() !== 0;
    case 10:
      return Number(bytes.readBigUInt64LE());
    case 11:
      return Number(bytes.readBigInt64LE());
    default:
      return bytes.readDoubleLE();
  }
}

function valueBytes(type: number, key: string, path: string): number {
  if (type < VALUE_BYTES.length) return VALUE_BYTES[type];
  throw inputError(
    `${path}: ${shown(key)} has a value of unknown type ${type}, allowed 0 to ${VALUE_BYTES.length - 1}`,
  );
}

function skipArray(cursor: Cursor, key: string, path: string): void {
  const type = cursor.u32(key);
  const length = cursor.u64(key);
  if (type === ARRAY) throw inputError(`${path}: ${shown(key)} has arrays in an array, which is not supported`);
  if (type !== STRING) {
    cursor.skip(length * valueBytes(type, key, path), key);
    return;
  }
  for (let i = 0; i < length; i++) cursor.skip(cursor.u64(key), key);
}
