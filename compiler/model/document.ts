// A JSON document as it was read: its value, and its text so that a message can point at the line. Comments and trailing
// commas are allowed (JSONC). JSON.parse does the work; the slower parser that knows positions (jsonc-parser) is loaded
// only if that fails or a message must be located. Flags given on the command line stand beside the text: what they set
// is located as the flag.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inputError } from '../../emulator/errors.ts';
import { frameAt } from './frame.ts';

export type Path = readonly (string | number)[];

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

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a file, or why there is none. `absent`: nothing there that could be read as a file. */
export type Reading = { readonly text: string } | { readonly problem: string; readonly absent: boolean };

export function readText(file: string): Reading {
  try {
    return { text: readFileSync(file, 'utf8') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const absent = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
    return { problem: readProblems.get(code) ?? `cannot be read (${code})`, absent };
  }
}

const readProblems: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['ENOTDIR', 'no such file'],
  ['EISDIR', 'is a directory; give a JSON file in it'],
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
  const parsed = treeOf(text);
  if (parsed === undefined) throw inputError(`${name}: not JSON that can be read: nested too deeply`);
  if (parsed.syntaxError === undefined && parsed.root !== undefined) return jsonc().getNodeValue(parsed.root);
  const { what, offset } = parsed.syntaxError ?? { what: 'a value is missing', offset: 0 };
  const { line, column, frame } = frameAt(text, offset);
  throw inputError(`${name}:${line}:${column}: not JSON: ${what}\n${frame}`);
}

type Jsonc = typeof import('jsonc-parser');
export type JsonNode = import('jsonc-parser').Node;

export interface Tree {
  readonly root: JsonNode | undefined;
  /** The first one; what follows it is mostly noise. */
  readonly syntaxError: { readonly what: string; readonly offset: number } | undefined;
}

/** `undefined` if the document is nested too deeply for a recursive parser. */
export function treeOf(text: string): Tree | undefined {
  const errors: import('jsonc-parser').ParseError[] = [];
  try {
    const root = jsonc().parseTree(text, errors, { allowTrailingComma: true });
    if (errors.length === 0) return { root, syntaxError: undefined };
    const { error, offset } = errors[0];
    return { root, syntaxError: { what: syntaxWords[jsonc().printParseErrorCode(error)], offset } };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const syntaxWords: Readonly<Record<ReturnType<Jsonc['printParseErrorCode']>, string>> = {
  InvalidSymbol: 'no such word, allowed true, false, null, or text in double quotes',
  InvalidNumberFormat: 'not a number',
  PropertyNameExpected: 'a key in double quotes is missing',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing } is missing',
  CloseBracketExpected: 'a closing ] is missing',
  EndOfFileExpected: 'the document should end here',
  InvalidCommentToken: 'a comment is not allowed here',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a text is not closed by a double quote',
  UnexpectedEndOfNumber: 'a number ends too early',
  InvalidUnicode: 'not a \\u escape, allowed \\u and four hexadecimal digits',
  InvalidEscapeCharacter: 'no such escape, allowed \\" \\\\ \\/ \\b \\f \\n \\r \\t \\u',
  InvalidCharacter: 'a control character in a text; write it as an escape',
  '<unknown ParseErrorCode>': 'a syntax error',
};

const require = createRequire(import.meta.url);

/** Loaded when first needed: a correct plain JSON file never does. */
function jsonc(): Jsonc {
  const loaded: Jsonc = require('jsonc-parser');
  return loaded;
}
