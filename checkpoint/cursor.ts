// Reading a header from front to back, through a window, so that neither a long header nor a length that lies takes memory.

import { inputError } from '../emulator/errors.ts';
import { bytesAt, type OpenFile } from './file.ts';
import { shown } from './tensor.ts';

const WINDOW_BYTES = 2 ** 18;

/** Reads a file from a place on; a class because it owns the window and the place. */
export class Cursor {
  at: number;
  readonly end: number;
  private readonly file: OpenFile;
  private window: Buffer = Buffer.alloc(0);
  private windowAt = 0;

  constructor(file: OpenFile, from: number = 0, end: number = file.bytes) {
    this.file = file;
    this.at = from;
    this.end = end;
  }

  /** The next bytes, as a view that the next call may void. */
  take(length: number, what: string): Buffer {
    const from = this.at;
    this.skip(length, what);
    if (length > WINDOW_BYTES) return bytesAt(this.file, from, length, what);
    if (from < this.windowAt || from + length > this.windowAt + this.window.length) {
      this.windowAt = from;
      this.window = bytesAt(this.file, from, Math.min(WINDOW_BYTES, this.file.bytes - from), what);
    }
    return this.window.subarray(from - this.windowAt, from - this.windowAt + length);
  }

  skip(length: number, what: string): void {
    if (!(length >= 0 && length <= this.end - this.at))
      throw inputError(
        `${this.file.path}: truncated or wrong, ${what} would have ${length} bytes, there are ${this.end - this.at}`,
      );
    this.at += length;
  }

  u8(what: string): number {
    return this.take(1, what)[0];
  }

  u32(what: string): number {
    return this.take(4, what).readUInt32LE();
  }

  /** Beyond 2^53 inexact, which is beyond any file. */
  u64(what: string): number {
    return Number(this.take(8, what).readBigUInt64LE());
  }

  text(length: number, what: string, most: number): string {
    if (length > most)
      throw inputError(`${this.file.path}: wrong, ${what} would have ${length} bytes, allowed ${most}: ${shown(what)}`);
    return this.take(length, what).toString('utf8');
  }
}
