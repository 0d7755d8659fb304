// `emulate inspect`: what one PE of a kernel does in a span of cycles, or a row of PEs, as the stepped engine does it.

import type { CommandModule } from 'yargs';
import { inputError } from '../../emulator/errors.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { coloursFor } from '../colours.ts';
import { peLines } from '../inspect/onePe.ts';
import { pictureLines } from '../inspect/picture.ts';
import type { Io } from '../io.ts';
import { type CaseArguments, givenCases, withCases } from '../kernel/given.ts';
import { watchInWorker } from '../kernel/watchInWorker.ts';
import type { Watched } from '../kernel/watch.ts';

export interface InspectArguments extends CaseArguments {
  readonly case: string | undefined;
  readonly pe: string | undefined;
  readonly row: string | undefined;
  readonly cycles: string | undefined;
  /** `--color` is about the terminal, in all commands. */
  readonly 'of-color': string | undefined;
  readonly color: boolean | undefined;
}

const text = { type: 'string', nargs: 1 } as const;

export function inspectCommand(io: Io): CommandModule<object, InspectArguments> {
  return {
    command: 'inspect [name]',
    describe: 'what one PE of a kernel does, cycle by cycle, or a row of PEs as a picture',
    builder: (yargs) =>
      withCases(yargs)
        .option('case', { ...text, describe: 'which case of a file of several, from 0' })
        .option('pe', { ...text, describe: 'column,row of the PE' })
        .option('row', { ...text, describe: 'the row of the picture' })
        .option('cycles', { ...text, describe: 'first:last cycle; all unless given' })
        .option('of-color', { ...text, describe: 'of --pe: only the buffers of this color' })
        .option('color', { type: 'boolean' })
        .example('$0 inspect --spec examples/01-one-row/spec.json --pe 0,0', 'one PE, all its cycles')
        .example('$0 inspect spmm --cols 16 --in 256 --out 64 --tokens 32 --row 0', 'a row as a picture'),
    handler: (given) => inspect(given, io),
  };
}

async function inspect(given: InspectArguments, io: Io): Promise<void> {
  const { pe, row, cycles, color } = given;
  if ((pe === undefined) === (row === undefined))
    throw inputError(`inspect: got ${pe === undefined ? 'neither' : 'both'} --pe and --row, allowed one of them`);
  const ofColor = colorOf(given['of-color'], pe);
  const one = oneOf(given);
  const flag = pe === undefined ? '--row' : '--pe';
  const seen = await watchInWorker(
    {
      one,
      pes: { flag, text: pe ?? row ?? '' },
      cycles: cycles === undefined ? undefined : { flag: '--cycles', text: cycles },
      most: pe === undefined ? MOST_OF_ROW : MOST_LINES,
    },
    io.signal,
  );
  const colours = coloursFor(io.stdout, io.env, color);
  const [first] = seen.pes;
  const body =
    pe === undefined ? pictureLines(seen.pes, seen, colours) : peLines(first, seen.threads[0], ofColor, colours);
  const lines = [colours.bold(headline(seen, flag)), ...cutNote(seen), '', ...body];
  await io.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
}

/** Stretches of one PE and its buffers; of a row, of whose buffers nothing is shown. */
const MOST_LINES = 20_000;
const MOST_OF_ROW = 20_000_000;

function colorOf(given: string | undefined, pe: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (pe === undefined) throw inputError('--of-color: got one with --row, allowed with --pe');
  if (/^\d{1,2}$/.test(given.trim())) return Number(given);
  throw inputError(`--of-color: got ${JSON.stringify(given)}, allowed a color, a whole number from 0`);
}

function oneOf(given: InspectArguments): KernelCase {
  const { cases } = givenCases('inspect', given);
  if (given.case === undefined) {
    if (cases.length === 1) return cases[0];
    throw inputError(`--spec: got ${cases.length} cases, allowed one; --case 0 to ${cases.length - 1} says which`);
  }
  const one = /^\d{1,9}$/.test(given.case.trim()) ? cases.at(Number(given.case)) : undefined;
  if (one !== undefined) return one;
  throw inputError(`--case: got ${JSON.stringify(given.case)}, allowed 0 to ${cases.length - 1}`);
}

function headline({ kernel, width, height, cycles, from, until, pes: [{ x, y }] }: Watched, flag: string): string {
  const what = flag === '--pe' ? `PE (${x},${y})` : `row ${y}`;
  const all = cycles === null ? 'that end in deadlock' : `of ${cycles}`;
  return `${kernel} on ${width} x ${height} PEs: ${what}, cycles ${from} to ${until - 1} ${all}`;
}

function cutNote({ isCut, until }: Watched): string[] {
  return isCut ? [`too much to show: ends with cycle ${until - 1}; --cycles says which are to be shown`] : [];
}
