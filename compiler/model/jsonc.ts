// JSON with comments and trailing commas, and where each value of it stands. JSON.parse is faster and needs no loading,
// so this is for a document that JSON.parse refuses, and for a message that must point at a line.

import { createRequire } from 'node:module';
import type { Path } from './paths.ts';

type Jsonc = typeof import('jsonc-parser');
type JsonNode = import('jsonc-parser').Node;

export interface Tree {
  readonly root: JsonNode | undefined;
  readonly value: unknown;
  /** The first one; what follows it is mostly noise. */
  readonly syntaxError: { readonly what: string; readonly offset: number } | undefined;
}

const require = createRequire(import.meta.url);

function load(): Jsonc {
  const loaded: Jsonc = require('jsonc-parser');
  return loaded;
}

/** `undefined`: nested too deeply for a recursive parser. */
export function treeOf(text: string): Tree | undefined {
  const { parseTree, getNodeValue, printParseErrorCode } = load();
  const errors: import('jsonc-parser').ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    if (errors.length > 0) {
      const { error, offset } = errors[0];
      return { root, value: undefined, syntaxError: { what: syntaxWords[printParseErrorCode(error)], offset } };
    }
    return { root, value: root && getNodeValue(root), syntaxError: undefined };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Where the value at a path begins, or its key; `undefined` if the document does not have it. */
export function offsetOf(root: JsonNode, path: Path, on: 'key' | 'value'): number | undefined {
  let node = root;
  let property: JsonNode | undefined;
  for (const step of path) {
    const children = node.children ?? [];
    // The last of equal keys: it is the one whose value counts.
    property = node.type === 'object' ? children.findLast(({ children }) => children?.[0].value === step) : undefined;
    const next = node.type === 'array' && typeof step === 'number' ? children[step] : property?.children?.[1];
    if (next === undefined) return undefined;
    node = next;
  }
  return on === 'key' && property !== undefined ? property.offset : node.offset;
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
