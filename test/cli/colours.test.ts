// The colour rule: --no-color and --color, then NO_COLOR, then FORCE_COLOR, then what the output is.

import { expect, test } from 'vitest';
import { colourFlag, colourLevel } from '../../cli/colours.ts';

const terminal = { isTTY: true, write: () => Promise.resolve() };
const pipe = { ...terminal, isTTY: false };
const all = { COLORTERM: 'truecolor' };

test.each([
  [pipe, all, undefined, 0],
  [terminal, {}, undefined, 1],
  [terminal, { TERM: 'xterm-256color' }, undefined, 2],
  [terminal, all, undefined, 3],
  [terminal, { TERM: 'dumb' }, undefined, 0],
  [terminal, { ...all, NO_COLOR: '1' }, undefined, 0],
  [terminal, { ...all, NO_COLOR: '' }, undefined, 3],
  [pipe, { FORCE_COLOR: '' }, undefined, 1],
  [pipe, { FORCE_COLOR: '3' }, undefined, 3],
  [terminal, { FORCE_COLOR: '0' }, undefined, 0],
  [terminal, { NO_COLOR: '1', FORCE_COLOR: '3' }, undefined, 0],
  [pipe, { NO_COLOR: '1' }, true, 1],
  [terminal, { ...all, NO_COLOR: '1' }, true, 3],
  [terminal, { FORCE_COLOR: '3' }, false, 0],
] as const)('%j %j %j: level %d', (output, env, flag, level) => {
  expect(colourLevel(output, env, flag)).toBe(level);
});

test('the last flag counts, and none behind --', () => {
  expect(colourFlag(['m.json'])).toBeUndefined();
  expect(colourFlag(['--color', 'm.json', '--no-color'])).toBe(false);
  expect(colourFlag(['--color=false', '--color'])).toBe(true);
  expect(colourFlag(['m.json', '--', '--color'])).toBeUndefined();
});
