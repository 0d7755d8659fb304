// `emulate check`: do models and kernels still take the cycles that their goldens say?

import { mkdirSync } from 'node:fs';
import type { ChalkInstance } from 'chalk';
import type { CommandModule } from 'yargs';
import { loadModel } from '../../compiler/model/load.ts';
import { EmulateError, EXIT, inputError } from '../../emulator/errors.ts';
import { coloursFor } from '../colours.ts';
import { workersOf, workersOption } from '../flags.ts';
import type { Looking, Verdict } from '../golden/verdict.ts';
import type { Io } from '../io.ts';
import { startProgress } from '../progress.ts';

export interface CheckArguments {
  readonly path: string;
  readonly add: string | undefined;
  readonly update: boolean;
  readonly set: string | readonly string[] | undefined;
  readonly workers: string | undefined;
  readonly color: boolean | undefined;
}

export function checkCommand(io: Io): CommandModule<object, CheckArguments> {
  return {
    command: 'check <path>',
    describe: 'run goldens: exit 6 where a count of cycles has moved, and a table of what moved',
    builder: (yargs) =>
      yargs
        .positional('path', { type: 'string', demandOption: true, describe: 'a folder of *.golden.json, or one' })
        .option('update', { type: 'boolean', default: false, describe: 'write the numbers of the goldens anew' })
        .option('add', {
          type: 'string',
          nargs: 1,
          describe: 'make a golden of this model file or preset in the folder',
        })
        .option('set', { type: 'string', nargs: 1, describe: 'path=value: any value of the model file; repeatable' })
        .option('workers', workersOption)
        .option('color', { type: 'boolean' })
        .example('$0 check goldens', 'has a number moved?')
        .example('$0 check goldens --set machine.core.axpyOverhead=6', 'what would move')
        .example('$0 check goldens --add model.json --set layers=1', 'a golden of one layer'),
    handler: (given) => check(given, io),
  };
}

async function check({ path, add, update, ...given }: CheckArguments, io: Io): Promise<void> {
  const workers = workersOf(given.workers);
  const set = typeof given.set === 'string' ? [given.set] : (given.set ?? []);
  if (update && add !== undefined) throw inputError('check: got --update and --add, allowed one of them');
  if (update && set.length > 0)
    throw inputError(
      'check: got --update and --set, allowed one of them; what a golden always sets stands in its "set"',
    );
  const { pooledTimer } = await import('../../run/timer.ts');
  const timer = pooledTimer(workers, io.signal);
  try {
    const looking = { timer, signal: io.signal, set, update };
    if (add === undefined) await checkAll(path, looking, given.color, io);
    else await addGolden(path, add, looking, io);
  } finally {
    await timer.close();
  }
}

async function checkAll(path: string, looking: Looking, color: boolean | undefined, io: Io): Promise<void> {
  const { goldensAt } = await import('../golden/find.ts');
  const { verdictOn } = await import('../golden/verdict.ts');
  const { verdictText } = await import('../golden/text.ts');
  const files = goldensAt(path);
  const progress = await startProgress(io);
  const verdicts: Verdict[] = [];
  try {
    for (const [i, file] of files.entries()) {
      progress.update(i, files.length, file.split(/[\\/]/).at(-1) ?? file);
      verdicts.push(await verdictOn(file, looking));
    }
  } finally {
    progress.stop();
  }
  const colours: ChalkInstance = coloursFor(io.stdout, io.env, color);
  for (const [i, file] of files.entries())
    await io.stdout.write(verdictText(file, verdicts[i], files.length === 1, colours));
  refuseMoved(path, verdicts);
}

/** A difference is what was asked for, so it goes before what kept a golden from being run. */
function refuseMoved(path: string, verdicts: readonly Verdict[]): void {
  const moved = verdicts.filter(({ kind }) => kind === 'moved' || kind === 'unwritten').length;
  const failed = verdicts.filter((verdict) => verdict.kind === 'failed');
  const of = `of ${verdicts.length} ${verdicts.length === 1 ? 'golden' : 'goldens'}`;
  const told = [
    ...(moved > 0 ? [`${moved} ${of} moved; if that is meant: emulate check ${path} --update`] : []),
    ...(failed.length > 0 ? [`${failed.length} ${of} could not be run`] : []),
  ];
  if (told.length > 0) throw new EmulateError(moved > 0 ? EXIT.difference : failed[0].code, told.join('\n'));
}

async function addGolden(folder: string, model: string, { timer, set }: Looking, io: Io): Promise<void> {
  const { newGoldenFile } = await import('../golden/find.ts');
  const { writeGolden } = await import('../golden/verdict.ts');
  const { headOf } = await import('../../report/golden/head.ts');
  const { resultOfRun } = await import('../../report/golden/result.ts');
  const { newGolden } = await import('../../report/golden/text.ts');
  const { runWafer } = await import('../../run/wafer.ts');
  const spec = loadModel(model, { set });
  makeFolder(folder);
  const file = newGoldenFile(folder, spec.name);
  const head = headOf(spec, file);
  const progress = await startProgress(io);
  const run = await runWafer(spec, { timer, onProgress: progress.update }).finally(progress.stop);
  writeGolden(file, newGolden(head, resultOfRun(run)));
  await io.stdout.write(`${file}: ${run.wafer.cycles.toLocaleString('en-US')} cycles\n`);
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${folder}: cannot be made (${why}), allowed a folder`);
  }
}
