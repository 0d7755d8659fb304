// What is wrong with a document, said where it is wrong: `file:line:col path: what, got ..., allowed ...` and the line with
// a caret; for a value that came from a flag, the flag instead of the line. All issues of a document leave in one error.

import { inputError, type EmulateError } from '../../emulator/errors.ts';
import type { Document, Flag } from './document.ts';
import { frameAt, printable } from './frame.ts';
import { offsetOf, treeOf, type Tree } from './jsonc.ts';
import { startsWith, valueAt, type Path } from './paths.ts';

export interface Issue {
  /** Where; for a key, the path that ends with it. */
  readonly path: Path;
  readonly on: 'key' | 'value';
  /** What is wrong, what was got, what is allowed, what was perhaps meant. */
  readonly text: string;
}

const MOST_SHOWN = 12;
const LONGEST_SHOWN = 48;

/** One error (exit 2) for all issues: those of flags in the order given, then those of the file from top to bottom. */
export function failureOf(document: Document, issues: readonly Issue[]): EmulateError {
  const root = document.text === null ? undefined : treeOf(document.text)?.root;
  const located = issues.map((issue) => {
    const { flag, offset } = placeOf(document, root, issue);
    const order = flag === undefined ? document.flags.length + (offset ?? 0) : document.flags.indexOf(flag);
    return { issue, flag, offset, order };
  });
  const shown = located.toSorted((a, b) => a.order - b.order).slice(0, MOST_SHOWN);
  const messages = shown.map(({ issue, flag, offset }) =>
    flag === undefined ? atLine(document, offset, issue) : atFlag(flag, issue),
  );
  const more = issues.length > MOST_SHOWN ? [`and ${issues.length - MOST_SHOWN} more`] : [];
  return inputError([...messages, ...more].join('\n'));
}

/** Of the paths that a rule ties together the one to point at: set by a flag, else given in the file, else the first. */
export function placeToBlame(document: Document, paths: readonly [Path, ...Path[]]): Path {
  const flagged = paths.find((path) => flagFor(document, path) !== undefined);
  return flagged ?? paths.find((path) => valueAt(document.value, path) !== undefined) ?? paths[0];
}

/** The flag that set the value at a path: the last one given to it or to what holds it. */
export function flagFor(document: Document, path: Path): Flag | undefined {
  return document.flags.findLast((flag) => startsWith(path, flag.path));
}

interface Place {
  readonly flag?: Flag | undefined;
  readonly offset?: number | undefined;
}

/** The flag or the offset of what an issue is about, or, if that is missing, of the nearest thing around it. */
function placeOf(document: Document, root: Tree['root'], { path, on }: Issue): Place {
  const flag = flagFor(document, path);
  if (flag !== undefined) return { flag };
  for (let length = path.length; length > 0; length--) {
    const around = path.slice(0, length);
    const offset = root && offsetOf(root, around, length === path.length ? on : 'value');
    if (offset !== undefined) return { offset };
    const within = document.flags.findLast((flag) => startsWith(flag.path, around));
    if (within !== undefined) return { flag: within };
  }
  return { offset: root?.offset };
}

function atFlag(flag: Flag, issue: Issue): string {
  const isExact = flag.path.length === issue.path.length && startsWith(flag.path, issue.path);
  const path = isExact ? '' : ` ${pathText(issue.path)}:`;
  return `${printable(flag.text)}:${path} ${issue.text}`;
}

function atLine(document: Document, offset: number | undefined, issue: Issue): string {
  const path = pathText(issue.on === 'key' ? issue.path.slice(0, -1) : issue.path);
  const where = path === '' ? '' : ` ${path}`;
  if (offset === undefined || document.text === null) return `${document.name}${where}: ${issue.text}`;
  const { line, column, frame } = frameAt(document.text, offset);
  return `${document.name}:${line}:${column}${where}: ${issue.text}\n${frame}`;
}

function pathText(path: Path): string {
  return path.map((step) => (typeof step === 'string' ? printable(step) : String(step))).join('.');
}

/** A value as messages print it: short, and on one line. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'number' ? String(value) : printable(JSON.stringify(value));
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
}
