// A golden as text. The same result is the same bytes: an object stands on one line where it fits, and an operator always
// does, so that what moved shows in a diff as one line an operator. What people wrote around the result stays as it is.

import { type Document } from '../../compiler/model/document.ts';
import { treeOf } from '../../compiler/model/jsonc.ts';
import { isObject } from '../../compiler/model/paths.ts';
import { internalError } from '../../emulator/errors.ts';
import { GOLDEN_FORMAT } from './document.ts';
import type { GoldenResult } from './result.ts';

const WIDTH = 100;
const INDENT = 2;

/** What a golden begins with. */
export interface Head {
  readonly model?: string;
  readonly kernel?: { readonly spec: string };
  readonly set: readonly string[];
}

export function newGolden({ set, ...run }: Head, result: GoldenResult): string {
  const document = { format: GOLDEN_FORMAT, ...run, ...(set.length === 0 ? {} : { set }) };
  const fields = Object.entries(document).map(([key, value]) => `  ${JSON.stringify(key)}: ${laidOut(value, 1)},`);
  return `{\n${fields.join('\n')}\n  "result": ${resultText(result)}\n}\n`;
}

/** The text of a golden with another result. */
export function withResult({ name, text }: Document, result: GoldenResult): string {
  const root = text === null ? undefined : treeOf(text)?.root;
  const properties = root?.children ?? [];
  const last = properties.at(-1);
  if (text === null || root === undefined || last === undefined) throw internalError(`${name} has no text`);
  const old = properties.findLast(({ children }) => children?.[0].value === 'result')?.children?.[1];
  if (old !== undefined) return text.slice(0, old.offset) + resultText(result) + text.slice(old.offset + old.length);
  const [end, brace] = [last.offset + last.length, root.offset + root.length - 1];
  const between = text.slice(end, brace);
  const comma = /,/.test(between.replace(COMMENT, '')) ? '' : ',';
  return `${text.slice(0, end)}${comma}${between.trimEnd()}\n  "result": ${resultText(result)}\n${text.slice(brace)}`;
}

const COMMENT = /\/\/[^\n]*|\/\*[^]*?\*\//g;

function resultText(result: GoldenResult): string {
  const { operators, ...others } = result;
  const lines = Object.entries(operators).map(([name, counts]) => `      ${JSON.stringify(name)}: ${oneLine(counts)}`);
  const fields = Object.entries({ ...others, operators: null }).map(([key, value]) =>
    key === 'operators'
      ? `    "operators": {\n${lines.join(',\n')}\n    }`
      : `    ${JSON.stringify(key)}: ${laidOut(value, 2)}`,
  );
  return `{\n${fields.join(',\n')}\n  }`;
}

function laidOut(value: unknown, depth: number): string {
  const line = oneLine(value);
  const list = Array.isArray(value);
  if ((!isObject(value) && !list) || depth * INDENT + line.length <= WIDTH - 20) return line;
  const indent = ' '.repeat((depth + 1) * INDENT);
  const inner = list
    ? value.map((each) => indent + laidOut(each, depth + 1))
    : Object.entries(value).map(([key, each]) => `${indent}${JSON.stringify(key)}: ${laidOut(each, depth + 1)}`);
  const end = ' '.repeat(depth * INDENT);
  return list ? `[\n${inner.join(',\n')}\n${end}]` : `{\n${inner.join(',\n')}\n${end}}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${oneLine(each)}`)
    .join(', ')} }`;
}
