// A TensorProto of ONNX (onnx.proto3, release 1.16): its sizes, type and name, and where its numbers lie: as raw bytes, as a
// packed list of floats, as a list of whole numbers (fp16 among them), or in another file beside the model.

import { basename, dirname, join } from 'node:path';
import { inputError } from '../emulator/errors.ts';
import type { Cursor } from './cursor.ts';
import { withFile } from './file.ts';
import { type Field, fieldsOf, type Span, textOf, varint } from './protobuf.ts';
import { isNumberType, NUMBER_BYTES, numbersOf, shown, type Tensor } from './tensor.ts';

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'F32'],
  [2, 'U8'],
  [3, 'I8'],
  [4, 'U16'],
  [5, 'I16'],
  [6, 'I32'],
  [7, 'I64'],
  [9, 'BOOL'],
  [10, 'F16'],
  [11, 'F64'],
  [12, 'U32'],
  [13, 'U64'],
  [16, 'BF16'],
]);

interface Parts {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly data: Span | undefined;
  /** fp16 and smaller may come as a list of varints. */
  readonly list: Span | undefined;
  readonly external: ReadonlyMap<string, string>;
}

/** Undefined where its numbers lie in a way that no weight does (texts, numbers one by one). */
export function onnxTensor(cursor: Cursor, span: Span, path: string): Tensor | undefined {
  const { name, type: number, shape, data, list, external } = partsOf(cursor, span, path);
  const type = TYPES.get(number) ?? `of ONNX type ${number}`;
  if (!isNumberType(type)) return undefined;
  const count = numbersOf(shape);
  const bytes = count * NUMBER_BYTES[type];
  const head = { name, type, shape } as const;
  const refuse = (has: number): Error =>
    inputError(
      `${path}: tensor ${shown(name)} of ${type} [${shape.join(', ')}] has ${has} bytes, its shape asks for ${bytes}`,
    );
  if (external.size > 0) return outside(head, external, bytes, path);
  if (data !== undefined) {
    if (data.end - data.at !== bytes) throw refuse(data.end - data.at);
    return { ...head, file: path, offset: data.at };
  }
  if (list === undefined || NUMBER_BYTES[type] > 2) return undefined;
  if (!(count <= list.end - list.at)) throw refuse(list.end - list.at);
  const held = new Uint8Array(bytes);
  cursor.at = list.at;
  for (let i = 0; i < count; i++) {
    const value = varint(cursor, path);
    held[i * NUMBER_BYTES[type]] = value & 255;
    if (NUMBER_BYTES[type] === 2) held[2 * i + 1] = (value >>> 8) & 255;
  }
  return { ...head, file: path, offset: 0, held };
}

function partsOf(cursor: Cursor, span: Span, path: string): Parts {
  const shape: number[] = [];
  const external = new Map<string, string>();
  let name = '';
  let type = 0;
  let data: Span | undefined;
  let list: Span | undefined;
  for (const field of fieldsOf(cursor, span, path)) {
    const { number } = field;
    if (number === 1) shape.push(...dimensions(cursor, field, path));
    else if (field.wire === 'varint') type = number === 2 ? field.value : type;
    else if (field.wire === 'fixed') continue;
    else if (number === 8) name = textOf(cursor, field.span, path);
    else if (number === 4 || number === 9 || number === 10) data = field.span;
    else if (number === 5) list = field.span;
    else if (number === 13) external.set(...entryOf(cursor, field.span, path));
  }
  return { name, type, shape, data, list, external };
}

function* dimensions(cursor: Cursor, field: Field, path: string): Generator<number> {
  if (field.wire === 'varint') yield field.value;
  else {
    cursor.at = field.span.at;
    while (cursor.at < field.span.end) yield varint(cursor, path);
  }
}

function entryOf(cursor: Cursor, span: Span, path: string): [string, string] {
  const entry: [string, string] = ['', ''];
  for (const field of fieldsOf(cursor, span, path))
    if (field.wire === 'bytes' && (field.number === 1 || field.number === 2))
      entry[field.number - 1] = textOf(cursor, field.span, path);
  return entry;
}

function outside(
  head: Pick<Tensor, 'name' | 'type' | 'shape'>,
  external: ReadonlyMap<string, string>,
  bytes: number,
  path: string,
): Tensor {
  const location = external.get('location') ?? '';
  const refuse = (why: string): Error =>
    inputError(`${path}: tensor ${shown(head.name)} lies in ${shown(location)}, ${why}`);
  // A model must not be able to name any file of the computer.
  if (location === '' || location !== basename(location)) throw refuse('allowed a file beside the model');
  const offset = Number(external.get('offset') ?? 0);
  const length = Number(external.get('length') ?? bytes);
  if (length !== bytes) throw refuse(`which gives it ${length} bytes, its shape asks for ${bytes}`);
  const file = join(dirname(path), location);
  const size = withFile(file, (opened) => opened.bytes);
  if (!(Number.isSafeInteger(offset) && offset >= 0 && offset + bytes <= size))
    throw refuse(`bytes ${offset} to ${offset + bytes}, of a file of ${size} bytes`);
  return { ...head, file, offset };
}
