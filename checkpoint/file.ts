// A file that is read piece by piece, because it may be larger than memory. What is asked for and not there is a truncated
// file, said with its name and with what should have been there.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inputError } from '../emulator/errors.ts';

export interface OpenFile {
  readonly path: string;
  readonly bytes: number;
  /** Changes whenever the file may have: device, inode, size, time of the last change. */
  readonly stamp: string;
  /** The bytes from `offset` on that fill `into`; `what` is for the message. */
  readonly fill: (into: Uint8Array, offset: number, what: string) => void;
}

/** Opens a file for as long as `use` runs. */
export function withFile<Result>(path: string, use: (file: OpenFile) => Result): Result {
  const handle = opened(path);
  try {
    const status = fstatSync(handle, { bigint: true });
    if (!status.isFile()) throw inputError(`${path}: not a file`);
    const bytes = Number(status.size);
    const stamp = [status.dev, status.ino, status.size, status.mtimeNs, status.ctimeNs].join(' ');
    const fill = (into: Uint8Array, offset: number, what: string): void => {
      if (offset < 0 || offset + into.length > bytes) throw truncated(path, bytes, offset + into.length, what);
      for (let done = 0; done < into.length; ) {
        const got = readSync(handle, into, done, into.length - done, offset + done);
        if (got === 0) throw truncated(path, offset + done, offset + into.length, what);
        done += got;
      }
    };
    return use({ path, bytes, stamp, fill });
  } finally {
    closeSync(handle);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw inputError(`${path}: cannot be read (${code})`);
  }
}

function truncated(path: string, bytes: number, needed: number, what: string): Error {
  return inputError(`${path}: truncated, ${what} ends at byte ${needed}, the file at byte ${bytes}; fetch it again`);
}

export function bytesAt(file: OpenFile, offset: number, length: number, what: string): Buffer {
  // Before room is made for it: a length that lies may be of any size.
  if (offset + length > file.bytes) throw truncated(file.path, file.bytes, offset + length, what);
  const bytes = Buffer.allocUnsafe(length);
  file.fill(bytes, offset, what);
  return bytes;
}
