// Whether to colour, for stdout and stderr apart: --no-color and --color go before NO_COLOR, that before FORCE_COLOR, and
// without any of them a terminal is asked. Levels are chalk's: 0 none, 1 sixteen colours, 2 256, 3 all.

import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import type { Io, Output } from './io.ts';

export function coloursFor(output: Output, env: Io['env'], flag: boolean | undefined): ChalkInstance {
  return new Chalk({ level: colourLevel(output, env, flag) });
}

/** The last --color or --no-color of a command line; it counts even where the rest of the line is wrong. */
export function colourFlag(argv: readonly string[]): boolean | undefined {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const last = flags.findLast((flag) => spellings.has(flag));
  return last === undefined ? undefined : spellings.get(last);
}

const spellings: ReadonlyMap<string, boolean> = new Map([
  ['--color', true],
  ['--color=true', true],
  ['--no-color', false],
  ['--color=false', false],
]);

export function colourLevel(output: Output, env: Io['env'], flag: boolean | undefined): ColorSupportLevel {
  if (flag === false) return 0;
  if (flag === true) return detected(output, env) || 1;
  if ((env.NO_COLOR ?? '') !== '') return 0;
  return forced(env.FORCE_COLOR) ?? detected(output, env);
}

function forced(value: string | undefined): ColorSupportLevel | undefined {
  if (value === undefined) return undefined;
  if (value === '0' || value === 'false') return 0;
  if (value === '2') return 2;
  return value === '3' ? 3 : 1;
}

function detected({ isTTY }: Output, { TERM = '', COLORTERM = '' }: Io['env']): ColorSupportLevel {
  if (!isTTY || TERM === 'dumb') return 0;
  if (/^(truecolor|24bit)$/.test(COLORTERM)) return 3;
  return TERM.endsWith('-256color') ? 2 : 1;
}
