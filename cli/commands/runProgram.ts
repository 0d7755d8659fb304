// `emulate run`: runs a program that `emulate compile --out` wrote. It has a wafer and no GPU to compare with.

import { readFileSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { decodeProgram } from '../../compiler/lower/codec.ts';
import { inputError } from '../../emulator/errors.ts';
import { contentOfProgram } from '../../report/html/content.ts';
import { page } from '../../report/html/page.ts';
import { waferReport, waferText } from '../../report/wafer.ts';
import { runProgram } from '../../run/program.ts';
import { pooledTimer } from '../../run/timer.ts';
import { runTwins } from '../../run/twins.ts';
import { mapWafer, timerPerPe } from '../../run/waferMap.ts';
import { coloursFor } from '../colours.ts';
import { checkDestinations, STDOUT, writeTo } from '../destination.ts';
import { htmlOption, twinsOption, workersOf, workersOption } from '../flags.ts';
import type { Io } from '../io.ts';
import { startProgress } from '../progress.ts';
import { checkWindow, traceAsked, type TraceFlags, withTraceFlags } from '../trace.ts';
import { traceRun } from '../traceRun.ts';

export interface RunArguments extends TraceFlags {
  readonly program: string;
  readonly workers: string | undefined;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly twins: boolean;
  readonly color: boolean | undefined;
}

export function runProgramCommand(io: Io): CommandModule<object, RunArguments> {
  return {
    command: 'run <program>',
    describe: 'run a compiled program',
    builder: (yargs) =>
      withTraceFlags(yargs)
        .positional('program', { type: 'string', demandOption: true, describe: 'file of emulate compile' })
        .option('workers', workersOption)
        .option('twins', twinsOption)
        .option('color', { type: 'boolean' })
        .option('html', htmlOption)
        // Without nargs yargs takes the - of `--json -` for an argument of the command.
        .option('json', { type: 'string', nargs: 1, describe: 'the result as JSON to a file; - is stdout, alone' }),
    handler: (given) => run(given, io),
  };
}

async function run({ program: file, json, html, color, ...given }: RunArguments, io: Io): Promise<void> {
  const workers = workersOf(given.workers);
  checkDestinations({ json, html });
  const trace = traceAsked(given);
  if (trace !== undefined) checkWindow(trace);
  const program = decodeProgram(readProgram(file), file);
  const timer = pooledTimer(workers, io.signal);
  const progress = await startProgress(io);
  try {
    const options = { timer, onProgress: progress.update };
    const result = await runProgram(program, html === undefined ? options : { ...options, timer: timerPerPe(timer) });
    const report = waferReport(program, result, given.twins ? await runTwins(program, result, options) : null);
    const map = html === undefined ? [] : await mapWafer(program, result, timer);
    progress.stop();
    if (html !== undefined) await writeTo(io, '--html', html, page(contentOfProgram(program, report, map)));
    if (json !== undefined) await writeTo(io, '--json', json, `${JSON.stringify(report, null, 2)}\n`);
    if (json !== STDOUT && html !== STDOUT)
      await io.stdout.write(waferText(report, coloursFor(io.stdout, io.env, color)));
    if (trace !== undefined) await traceRun(io, trace, program, result);
  } finally {
    progress.stop();
    await timer.close();
  }
}

function readProgram(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${file}: cannot be read (${why}), allowed a file written by emulate compile --out`);
  }
}
