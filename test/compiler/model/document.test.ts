import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocument, readDocument } from '../../../compiler/model/document.ts';
import { frameAt } from '../../../compiler/model/frame.ts';
import { refusal, written } from './written.ts';

test('comments, trailing commas and a byte order mark are read', () => {
  const text = '\uFEFF{\n  // a comment\n  "a": [1, /* two */ 2,],\n}';
  expect(parseDocument('m.json', text).value).toEqual({ a: [1, 2] });
});

test('a key "__proto__" in a file with comments stays a key', () => {
  const { value } = parseDocument('m.json', '{ // c\n "__proto__": {"preset": "gpt3-xl"} }');
  expect(Object.keys(value ?? {})).toEqual(['__proto__']);
});

test.each([
  ['{"a": 1 "b": 2}', 'm.json:1:9: not JSON: a comma is missing\n  1 | {"a": 1 "b": 2}\n    |         ^'],
  [
    '{\n  "a": tru\n}',
    'm.json:2:8: not JSON: no such word, allowed true, false, null, or text in double quotes\n  2 |   "a": tru\n    |        ^',
  ],
  ['{"a": 1', 'm.json:1:8: not JSON: a closing } is missing\n  1 | {"a": 1\n    |        ^'],
  ['[1, 2', 'm.json:1:6: not JSON: a closing ] is missing\n  1 | [1, 2\n    |      ^'],
  ['{} {}', 'm.json:1:4: not JSON: the document should end here\n  1 | {} {}\n    |    ^'],
  [
    "{'a': 1}",
    "m.json:1:2: not JSON: no such word, allowed true, false, null, or text in double quotes\n  1 | {'a': 1}\n    |  ^",
  ],
  ['{"a" 1}', 'm.json:1:6: not JSON: a colon is missing\n  1 | {"a" 1}\n    |      ^'],
  ['{"a": "x', 'm.json:1:7: not JSON: a text is not closed by a double quote\n  1 | {"a": "x\n    |       ^'],
])('a syntax error of %j is shown where it is', (text, message) => {
  expect(refusal(() => parseDocument('m.json', text))).toBe(message);
});

test('an empty file, a binary file and one nested too deeply are refused without a line', () => {
  expect(refusal(() => parseDocument('m.json', ' \n'))).toBe(
    'm.json: the file is empty, allowed one JSON object, {...}',
  );
  expect(refusal(() => parseDocument('m.json', '{\0'))).toContain('not a text file');
  expect(refusal(() => parseDocument('m.json', '['.repeat(500_000)))).toContain('nested too deeply');
});

test('a file that is not there, and a directory, are refused by name', () => {
  const folder = written({});
  mkdirSync(join(folder, 'd.json'));
  expect(refusal(() => readDocument(join(folder, 'no.json')), folder)).toBe('no.json: no such file');
  expect(refusal(() => readDocument(join(folder, 'd.json')), folder)).toBe('d.json: is a directory');
  expect(refusal(() => readDocument('a\0b'))).toContain('cannot be read (ERR_INVALID_ARG_VALUE)');
});

test('a frame counts lines of every ending and keeps the caret under its column', () => {
  expect(frameAt('a\r\nb\rc\n\tdef', 9)).toEqual({ line: 4, column: 3, frame: '  4 |  def\n    |   ^' });
});

test('a frame cuts a long line around the caret and shows no control characters', () => {
  const { column, frame } = frameAt(`\u001b[31m${'x'.repeat(300)}Y${'x'.repeat(300)}`, 305);
  const [line, caret] = frame.split('\n');
  expect(column).toBe(306);
  expect(line.length).toBeLessThan(130);
  expect(line).not.toContain('\u001b');
  expect(line[caret.indexOf('^')]).toBe('Y');
});
