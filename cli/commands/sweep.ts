// `emulate sweep`: a model at every point of a grid of its fields. One report file a point, so that a sweep that was cut off
// goes on; at the end a table, CSV and JSON lines.

import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { documentOf } from '../../compiler/model/load.ts';
import { EmulateError, EXIT, inputError } from '../../emulator/errors.ts';
import type { Point } from '../../sweep/points.ts';
import type { Row, Swept } from '../../sweep/sweep.ts';
import { coloursFor } from '../colours.ts';
import { makeFolder } from '../destination.ts';
import { type ModelFlags, overridesOf, withModelFlags, workersOf } from '../flags.ts';
import type { Io } from '../io.ts';
import { writeSmallestIn } from '../lawFile.ts';
import { startProgress } from '../progress.ts';
import { packageVersion } from '../version.ts';

export interface SweepArguments extends ModelFlags {
  readonly model: string;
  readonly vary: string | readonly string[] | undefined;
  readonly out: string | undefined;
  readonly color: boolean | undefined;
}

/** Models made before the process looks whether it is interrupted: some tens of milliseconds. */
const AT_ONCE = 200;

const NOTES = [
  'Points are in the order of the grid: the last --vary changes fastest. Each is a whole run with a mapping of its own; for one mapping along a curve fix it, by --mapping and a file of emulate map, or e.g. --set mapping.columns=96 --set mapping.tokensPerPe=64.',
  'The folder gets one report a point, named by the hash of its inputs, and results.csv and results.jsonl with one line a point. Points whose report is there are not run again: a sweep that was cut off goes on with the same command, and a larger grid runs only what is new.',
  'A point that fails is listed and does not stop the others. Exit code: 0 if all points are good, else that of the first bad one in the order of the grid, after all others are done.',
].join('\n\n');

export function sweepCommand(io: Io): CommandModule<object, SweepArguments> {
  return {
    command: 'sweep <model>',
    describe: 'run a model at every point of a grid of its fields',
    builder: (yargs) =>
      withModelFlags(yargs)
        .positional('model', { type: 'string', demandOption: true, describe: 'a model file, or a preset' })
        .option('vary', {
          type: 'string',
          nargs: 1,
          describe: 'path=a,b,c or path=from:to:step, any field as of --set; repeatable: a grid',
        })
        .option('out', { type: 'string', nargs: 1, describe: 'folder of the results; <model>.sweep unless given' })
        .option('color', { type: 'boolean' })
        .example('$0 sweep gpt2-small --vary sparsity=0:0.95:0.05', 'a curve of 20 points')
        .example('$0 sweep gpt2-small --vary gpu=a100-80gb,h100 --vary machine.core.simdFp16=4,8', '4 points')
        .epilogue(NOTES),
    handler: (given) => sweep(given, io),
  };
}

async function sweep(given: SweepArguments, io: Io): Promise<void> {
  const { model, color } = given;
  const workers = workersOf(given.workers);
  const points = await pointsOfGrid(given, io.signal);
  const folder = given.out ?? `${basename(model).replace(/\.jsonc?$/, '')}.sweep`;
  makeFolder('--out', folder);

  const { runSweep } = await import('../../sweep/sweep.ts');
  const { pooledTimer } = await import('../../run/timer.ts');
  const progress = await startProgress(io);
  const timer = pooledTimer(workers, io.signal);
  let done = 0;
  const onProgress = (now: number, total: number, label: string): void => {
    done = now;
    progress.update(now, total, label);
  };
  try {
    const swept = await runSweep(points, { folder, timer, workers, signal: io.signal, onProgress });
    progress.stop();
    await finish(swept, folder, color, io);
  } catch (error) {
    progress.stop();
    if (io.signal.aborted)
      await io.stderr.write(
        `${done} of ${points.length} points are kept in ${folder}; the same command goes on from there\n`,
      );
    throw error;
  } finally {
    await timer.close();
  }
}

/** The models of all points; throws (exit 2) on a wrong grid, and where none of them is a model. */
async function pointsOfGrid(given: SweepArguments, signal: AbortSignal): Promise<Point[]> {
  const { axesOf, pointsOf } = await import('../../sweep/grid.ts');
  const { pointModels, refuseAllWrong } = await import('../../sweep/points.ts');
  const { model, vary } = given;
  if (vary === undefined) throw inputError('--vary: missing, allowed e.g. --vary sparsity=0:0.95:0.05');
  const grid = pointsOf(axesOf(typeof vary === 'string' ? [vary] : vary, fixedBy(given)));
  const document = documentOf(model);
  const points: Point[] = [];
  for (let from = 0; from < grid.length; from += AT_ONCE) {
    await setImmediate();
    if (signal.aborted) throw new EmulateError(EXIT.interrupted, 'interrupted');
    points.push(...pointModels(document, overridesOf(given), grid.slice(from, from + AT_ONCE), packageVersion()));
  }
  refuseAllWrong(points);
  return points;
}

/** Paths that flags other than --vary set. */
function fixedBy({ sparsity, machine, gpu, set }: ModelFlags): string[] {
  const sets = typeof set === 'string' ? [set] : (set ?? []);
  const named = Object.entries({ sparsity, machine, gpu }).filter(([, value]) => value !== undefined);
  return [...named.map(([name]) => name), ...sets.map((each) => each.split('=')[0])];
}

async function finish({ rows, there }: Swept, folder: string, color: boolean | undefined, io: Io): Promise<void> {
  const { csvOf, jsonLinesOf } = await import('../../sweep/tables.ts');
  const { writeWhole } = await import('../../sweep/store.ts');
  const { failuresOf, sweepTable } = await import('../../sweep/terminal.ts');
  await writeWhole(join(folder, 'results.csv'), csvOf(rows));
  await writeWhole(join(folder, 'results.jsonl'), jsonLinesOf(rows));
  await io.stdout.write(`${sweepTable(rows, coloursFor(io.stdout, io.env, color))}\n${summary(rows, there, folder)}\n`);
  const failures = failuresOf(rows);
  if (failures === undefined) return;
  const smallest = rows.flatMap(({ outcome }) => ('failure' in outcome ? (outcome.failure.smallest ?? []) : []));
  // Several points may have met the same case.
  const told = new Set(smallest.map((each) => writeSmallestIn(folder, each)));
  throw new EmulateError(failures.code, [failures.message, ...told].join('\n'));
}

function summary(rows: readonly Row[], there: number, folder: string): string {
  const points = rows.length === 1 ? '1 point' : `${rows.length} points`;
  const found = there === 0 ? '' : `, ${there} of them were there`;
  return `${points}${found}; ${folder} has results.csv, results.jsonl and a report a point`;
}
