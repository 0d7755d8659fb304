// Flags that several commands share, and their values checked: given once, of the right form, in range. yargs is told that
// all of them are texts, because it would make a number of anything.

import { availableParallelism } from 'node:os';
import type { Argv } from 'yargs';
import type { Overrides } from '../compiler/model/overrides.ts';
import { inputError } from '../emulator/errors.ts';

/** Flags that may stand several times. */
const REPEATABLE: readonly string[] = ['set', 'vary'];

/** Refuses flags that stand twice or are given an empty text, and what stands behind a bare --. */
export function checkGiven(given: Readonly<Record<string, unknown>>, argv: readonly string[]): void {
  const bare = argv.indexOf('--');
  if (bare >= 0 && bare + 1 < argv.length)
    throw inputError(`${JSON.stringify(argv[bare + 1])}: nothing may stand behind --`);
  for (const [name, value] of Object.entries(given)) {
    if (name === '_' || name === '$0') continue;
    if (Array.isArray(value) && !REPEATABLE.includes(name))
      throw inputError(`--${name}: given ${value.length} times, allowed once`);
    if (value === '') throw inputError(`--${name}: got an empty text; give a value or leave the flag out`);
  }
}

export interface ModelFlags {
  readonly sparsity: string | undefined;
  readonly machine: string | undefined;
  readonly gpu: string | undefined;
  readonly mapping: string | undefined;
  readonly set: string | readonly string[] | undefined;
  readonly workers: string | undefined;
}

/** Flags that change a model, and the threads to run it with. */
export function withModelFlags<Given>(yargs: Argv<Given>): Argv<Given & ModelFlags> {
  const text = { type: 'string', nargs: 1 } as const;
  return yargs
    .option('sparsity', { ...text, describe: 'share of the weights that are zero, 0 to 1' })
    .option('machine', { ...text, describe: 'a preset (emulate list machines) or a machine file' })
    .option('gpu', { ...text, describe: 'the GPU to compare with (emulate list gpus)' })
    .option('mapping', { ...text, describe: 'a mapping file; what it leaves out is chosen' })
    .option('set', { ...text, describe: 'path=value: any value of the model file; repeatable' })
    .option('workers', workersOption);
}

export const workersOption = {
  type: 'string',
  nargs: 1,
  describe: 'threads that emulate; as many as the computer runs at once unless given',
} as const;

export const htmlOption = {
  type: 'string',
  nargs: 1,
  describe: 'the report as one page to open in a browser: map of the wafer, timeline, roofline; - is stdout, alone',
} as const;

export const twinsOption = {
  type: 'boolean',
  default: true,
  describe: 'run it four times more to say what each effect costs; --no-twins leaves that out',
} as const;

export function overridesOf({ sparsity, machine, gpu, mapping, set }: ModelFlags): Overrides {
  return { sparsity, machine, gpu, mapping, set: typeof set === 'string' ? [set] : set };
}

/** A worker is a thread and some tens of megabytes. */
const MOST_WORKERS = 1024;

export function workersOf(given: string | undefined): number {
  if (given === undefined) return availableParallelism();
  const workers = /^\d+$/.test(given.trim()) ? Number(given) : 0;
  if (workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw inputError(`--workers: got ${JSON.stringify(given)}, allowed a whole number 1 to ${MOST_WORKERS}`);
}
