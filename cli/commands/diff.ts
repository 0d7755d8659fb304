// `emulate diff`: what moved from one report to another.

import type { CommandModule } from 'yargs';
import { readDocument } from '../../compiler/model/document.ts';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { coloursFor } from '../colours.ts';
import type { Io } from '../io.ts';

export interface DiffArguments {
  readonly before: string;
  readonly after: string;
  readonly gate: boolean;
  readonly color: boolean | undefined;
}

export function diffCommand(io: Io): CommandModule<object, DiffArguments> {
  return {
    command: 'diff <before> <after>',
    describe: 'compare two reports: which operator moved, by which cause, by how much',
    builder: (yargs) =>
      yargs
        .positional('before', { type: 'string', demandOption: true, describe: 'a report, as --json writes it' })
        .positional('after', { type: 'string', demandOption: true, describe: 'another' })
        .option('gate', { type: 'boolean', default: false, describe: 'exit 6 if anything moved' })
        .option('color', { type: 'boolean' })
        .example('$0 diff before.json after.json --gate', 'in CI'),
    handler: (given) => diff(given, io),
  };
}

async function diff({ before, after, gate, color }: DiffArguments, io: Io): Promise<void> {
  const { diffReports, readReport } = await import('../../report/diff.ts');
  const { movedTable } = await import('../../report/movedTable.ts');
  const differences = diffReports(readReport(readDocument(before)), readReport(readDocument(after)));
  const { facts, moves } = differences;
  if (facts.length === 0 && moves.length === 0) {
    await io.stdout.write('nothing moved\n');
    return;
  }
  const table = movedTable(differences, {
    heads: ['before', 'after'],
    colours: coloursFor(io.stdout, io.env, color),
    most: Infinity,
    rest: '',
  });
  await io.stdout.write(`${table.join('\n')}\n`);
  if (gate)
    throw new EmulateError(EXIT.difference, `${after} is not ${before}: ${facts.length + moves.length} differences`);
}
