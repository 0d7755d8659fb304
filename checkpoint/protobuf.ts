// Protocol buffers off the wire, field by field, without a schema: https://protobuf.dev/programming-guides/encoding. What is
// long (bytes, texts, messages) is given as a region of the file, so that weights are never read along the way.

import { inputError } from '../emulator/errors.ts';
import type { Cursor } from './cursor.ts';

/** A region of the file, in bytes. */
export interface Span {
  readonly at: number;
  readonly end: number;
}

export type Field =
  | { readonly number: number; readonly wire: 'varint'; readonly value: number }
  | { readonly number: number; readonly wire: 'bytes'; readonly span: Span }
  | { readonly number: number; readonly wire: 'fixed'; readonly span: Span };

const MOST_VARINT_BYTES = 10;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The fields of the message at `span`; the cursor may be moved between two of them. */
export function* fieldsOf(cursor: Cursor, { at, end }: Span, what: string): Generator<Field> {
  for (let next = at; next < end; ) {
    cursor.at = next;
    const tag = varint(cursor, what);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === VARINT) {
      const value = varint(cursor, what);
      next = cursor.at;
      yield { number, wire: 'varint', value };
      continue;
    }
    if (wire !== FIXED64 && wire !== BYTES && wire !== FIXED32)
      throw inputError(`${what}: not an ONNX file, or damaged`);
    const length = wire === BYTES ? varint(cursor, what) : wire === FIXED64 ? 8 : 4;
    const from = cursor.at;
    next = from + length;
    if (!(next <= end)) throw inputError(`${what}: truncated or damaged, a field leaves its message`);
    yield { number, wire: wire === BYTES ? 'bytes' : 'fixed', span: { at: from, end: next } };
  }
}

/** Seven bits a byte, the lowest first. Exact below 2^53; a negative number is a large one. */
export function varint(cursor: Cursor, what: string): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < MOST_VARINT_BYTES; i++) {
    const byte = cursor.u8(what);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
    scale *= 128;
  }
  throw inputError(`${what}: damaged, a number of more than ${MOST_VARINT_BYTES} bytes`);
}

const MOST_TEXT_BYTES = 65_536;

export function textOf(cursor: Cursor, { at, end }: Span, what: string): string {
  cursor.at = at;
  return cursor.text(end - at, what, MOST_TEXT_BYTES);
}
