// Where a document goes: a file, or stdout for `-`. Looked at before the work starts, so that no run of minutes ends in a
// folder that is not there.

import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inputError } from '../emulator/errors.ts';
import type { Io } from './io.ts';

export const STDOUT = '-';

/** Throws (exit 2) if `file` cannot be written; `flag` is what it was given with. */
export function checkDestination(flag: string, file: string | undefined): void {
  if (file === undefined || file === STDOUT) return;
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw unwritable(flag, file, error);
  }
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw inputError(`${flag} ${file}: is a directory, allowed a file, or - for stdout`);
}

/** The same of several flags, by name; stdout is for one of them. */
export function checkDestinations(files: Readonly<Record<string, string | undefined>>): void {
  for (const [name, file] of Object.entries(files)) checkDestination(`--${name}`, file);
  const onStdout = Object.keys(files).filter((name) => files[name] === STDOUT);
  if (onStdout.length > 1)
    throw inputError(`--${onStdout.join(' - and --')} -: got stdout for both, allowed for one; give the others a file`);
}

/** A folder for results, made where there is none; the folder that it lies in must be there. */
export function makeFolder(flag: string, folder: string): void {
  try {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${flag} ${folder}: cannot be made or written (${why}), allowed a folder within one that exists`);
  }
  if (!statSync(folder).isDirectory()) throw inputError(`${flag} ${folder}: is a file, allowed a folder`);
}

/** Bytes go to files only; to stdout only text. */
export async function writeTo(io: Io, flag: string, file: string, content: string | Uint8Array): Promise<void> {
  if (file === STDOUT) return io.stdout.write(content.toString());
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw unwritable(flag, file, error);
  }
}

export function unwritable(flag: string, file: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return inputError(`${flag} ${file}: cannot be written (${why}), allowed a file in a folder that exists, or -`);
}
