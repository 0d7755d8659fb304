// What is wrong with a command line, in our words and with the name that was perhaps meant.

import { nearName } from '../compiler/model/nearName.ts';
import { didYouMean } from '../compiler/model/validate.ts';
import { EmulateError, inputError } from '../emulator/errors.ts';

/** The commands that have a name; the first argument of the one without is a model. */
export const NAMED_COMMANDS = [
  'kernel',
  'inspect',
  'compile',
  'run',
  'map',
  'sweep',
  'train',
  'check',
  'diff',
  'baseline',
  'list',
  'schema',
] as const;

/**
 * What reading the arguments threw as an input error (exit 2); a defect comes back as it is. `help` is the help text of
 * the command, which knows its flags.
 */
export function usageError(error: unknown, argv: readonly string[], help: string): unknown {
  if (!(error instanceof Error)) return error;
  // yargs has an error class of its own, which it does not export.
  if (!(error instanceof EmulateError) && error.name !== 'YError') return error;
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(error.message);
  const names = unknown === null ? [] : unknown[1].split(', ');
  // A dashed flag is named a second time, in camel case.
  const told = names.filter((name) => !names.some((other) => other !== name && camelCase(other) === name));
  const text =
    unknown === null ? plain(error.message, help) : told.map((name) => unknownName(name, argv, help)).join('\n');
  return inputError(`${text}\nemulate --help lists commands and flags`);
}

function plain(message: string, help: string): string {
  const valueless = /^Not enough arguments following: (.*)$/.exec(message);
  if (valueless !== null) return `--${valueless[1]}: a value is missing`;
  return message.startsWith('Not enough non-option') ? `something is missing, allowed ${help.split('\n')[0]}` : message;
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function unknownName(name: string, argv: readonly string[], help: string): string {
  const isFlag = argv.some((argument) => argument.startsWith('-') && flagName(argument) === name);
  if (!isFlag) return `${JSON.stringify(name)}: one argument too many${nearCommand(argv[0])}`;
  const flags = [...help.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, flag]) => flag);
  const near = nearName(name, flags);
  return `--${name}: unknown flag${didYouMean(near === undefined ? undefined : `--${near}`)}`;
}

function flagName(argument: string): string {
  return argument.replace(/^-+/, '').split('=')[0].replace(/^no-/, '');
}

/** For what was taken as the name of a model. */
export function nearCommand(first: string | undefined): string {
  const near = first === undefined ? undefined : nearName(first, NAMED_COMMANDS);
  return NAMED_COMMANDS.some((name) => name === first) ? '' : didYouMean(near && `emulate ${near}`);
}
