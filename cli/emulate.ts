// The command line as a function: arguments and an Io in, exit code out. yargs only reads the arguments; the command runs
// afterwards, so that every error, of usage or of the work, comes out at one place.

import yargs, { type Argv, type CommandModule } from 'yargs';
import { EmulateError, EXIT, inputError } from '../emulator/errors.ts';
import { LawError } from '../emulator/laws.ts';
import { colourFlag, coloursFor } from './colours.ts';
import { baselineCommand } from './commands/baseline.ts';
import { checkCommand } from './commands/check.ts';
import { compileCommand } from './commands/compile.ts';
import { diffCommand } from './commands/diff.ts';
import { inspectCommand } from './commands/inspect.ts';
import { kernelCommand } from './commands/kernel.ts';
import { listCommand } from './commands/list.ts';
import { mapCommand } from './commands/map.ts';
import { modelCommand } from './commands/model.ts';
import { runProgramCommand } from './commands/runProgram.ts';
import { schemaCommand } from './commands/schema.ts';
import { sweepCommand } from './commands/sweep.ts';
import { trainCommand } from './commands/train.ts';
import { checkGiven } from './flags.ts';
import type { Io } from './io.ts';
import { writeSmallest } from './lawFile.ts';
import { NAMED_COMMANDS, usageError } from './usage.ts';
import { packageVersion } from './version.ts';

/** Runs one command line; resolves to the exit code. Prints, never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const read = await readArguments(argv, io);
    if (read.work !== undefined) await read.work();
    else await io.stdout.write(`${read.text}\n`);
    return EXIT.ok;
  } catch (error) {
    const { code, text } = io.signal.aborted ? interrupted : failureOf(error, argv);
    await io.stderr.write(`${coloursFor(io.stderr, io.env, colourFlag(argv)).red(text)}\n`);
    return code;
  }
}

interface Failure {
  readonly code: number;
  readonly text: string;
}

const interrupted: Failure = { code: EXIT.interrupted, text: 'interrupted' };

const PLEASE_REPORT =
  'This is a defect of the emulator; please report it, with the command line and the files it read.';

function failureOf(error: unknown, argv: readonly string[]): Failure {
  if (error instanceof LawError) return { code: error.code, text: writeSmallest(error, argv) };
  if (error instanceof EmulateError) {
    const text = error.code === EXIT.defect ? `${error.message}\n${PLEASE_REPORT}` : error.message;
    return { code: error.code, text };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: EXIT.defect, text: `internal: ${stack}\n${PLEASE_REPORT}` };
}

/** The work asked for, or the text of --help or --version. */
interface Read {
  work?: () => Promise<void>;
  text: string;
}

async function readArguments(argv: readonly string[], io: Io): Promise<Read> {
  const read: Read = { text: '' };
  const parser = yargs([...argv])
    .scriptName('emulate')
    .locale('en')
    .usage('$0 <model>: a GPT on a wafer-scale machine, cycle by cycle, and what its zeros save')
    .exitProcess(false)
    .strict()
    .recommendCommands()
    .showHelpOnFail(false)
    // Texts stay texts, and a dot belongs to the name that it is in.
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'dot-notation': false })
    .option('color', { type: 'boolean', describe: 'colours, or --no-color; else as NO_COLOR and the terminal say' })
    .version(packageVersion())
    .help()
    .wrap(100)
    // A handler that only prints would let the command run all the same.
    .fail((message, error) => {
      throw error ?? inputError(message);
    });
  const add = <Given>(command: CommandModule<object, Given>): void => addCommand(parser, command, argv, read);
  add(modelCommand(io));
  add(kernelCommand(io));
  add(inspectCommand(io));
  add(compileCommand(io));
  add(runProgramCommand(io));
  add(mapCommand(io));
  add(sweepCommand(io));
  add(trainCommand(io));
  add(checkCommand(io));
  add(diffCommand(io));
  add(baselineCommand(io));
  add(listCommand(io));
  add(schemaCommand(io));
  try {
    await parser.parseAsync([...argv], {}, (_error, _given, output) => {
      read.text = output;
    });
  } catch (error) {
    const named = NAMED_COMMANDS.find((name) => name === argv[0]);
    const help = argv.includes('--help') ? '' : await helpOf(named, io);
    throw usageError(error, argv, help);
  }
  return read;
}

/** A command whose handler only says what is to be done. */
function addCommand<Given>(
  parser: Argv,
  command: CommandModule<object, Given>,
  argv: readonly string[],
  read: Read,
): void {
  parser.command({
    ...command,
    handler: (given) => {
      read.work = async () => {
        checkGiven(given, argv);
        await command.handler(given);
      };
    },
  });
}

async function helpOf(command: string | undefined, io: Io): Promise<string> {
  const { text } = await readArguments([...(command === undefined ? [] : [command]), '--help'], io);
  return text;
}
