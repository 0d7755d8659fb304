// A JSON document as it was read: its value, and its text so that a message can point at the line. Comments and trailing
// commas are allowed. Flags given on the command line stand beside the text: what they set is located as the flag.

import { readFileSync } from 'node:fs';
import { inputError } from '../../emulator/errors.ts';
import { frameAt } from './frame.ts';
import { treeOf } from './jsonc.ts';
import type { Path } from './paths.ts';

/** A value that came from the command line: where it went, and the flag as it was typed. */
export interface Flag {
  readonly path: Path;
  readonly text: string;
}

export interface Document {
  /** What messages call it: the path as the user gave it. */
  readonly name: string;
  /** `null`: not from a file (a preset, flags). */
  readonly text: string | null;
  readonly value: unknown;
  readonly flags: readonly Flag[];
}

/** The text of a file, or why there is none; absent is also a directory, which may have the name of a preset. */
export type Reading = { readonly text: string } | { readonly problem: string; readonly isAbsent: boolean };

export function readText(file: string): Reading {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
    return { problem: readProblems.get(code) ?? `cannot be read (${code})`, isAbsent };
  }
}

const readProblems: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['ENOTDIR', 'no such file'],
  ['EISDIR', 'is a directory'],
  ['EACCES', 'may not be read; check its permissions'],
  ['ENAMETOOLONG', 'cannot be read: the name is too long'],
  ['ERR_FS_FILE_TOO_LARGE', 'is too large for a JSON file of ours'],
]);

export function readDocument(file: string): Document {
  const reading = readText(file);
  if ('problem' in reading) throw inputError(`${file}: ${reading.problem}`);
  return parseDocument(file, reading.text);
}

export function parseDocument(name: string, content: string): Document {
  const text = content.startsWith('\uFEFF') ? content.slice(1) : content;
  if (text.trim() === '') throw inputError(`${name}: the file is empty, allowed one JSON object, {...}`);
  if (text.includes('\0')) throw inputError(`${name}: not a text file (it has NUL bytes), allowed JSON in UTF-8`);
  return { name, text, value: parseText(name, text), flags: [] };
}

function parseText(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseWithComments(name, text);
  }
}

function parseWithComments(name: string, text: string): unknown {
  const tree = treeOf(text);
  if (tree === undefined) throw inputError(`${name}: not JSON that can be read: nested too deeply`);
  if (tree.syntaxError === undefined) return tree.value;
  const { line, column, frame } = frameAt(text, tree.syntaxError.offset);
  throw inputError(`${name}:${line}:${column}: not JSON: ${tree.syntaxError.what}\n${frame}`);
}
