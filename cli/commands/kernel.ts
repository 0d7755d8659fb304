// `emulate kernel`: the cycles of one kernel, from a file of cases or from flags, and what every PE did in each of them.

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { EmulateError, EXIT, inputError } from '../../emulator/errors.ts';
import { LawError } from '../../emulator/laws.ts';
import { peTimeline } from '../../report/trace/pes.ts';
import { checkDestination, STDOUT, unwritable } from '../destination.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { workersOf, workersOption } from '../flags.ts';
import type { Io } from '../io.ts';
import { type CaseArguments, choice, givenCases, withCases } from '../kernel/given.ts';
import { timings } from '../kernel/inWorker.ts';
import { lineOf } from '../kernel/line.ts';
import { summaryOf } from '../kernel/summary.ts';
import type { EngineUse } from '../kernel/timing.ts';
import { watchInWorker } from '../kernel/watchInWorker.ts';
import { mostRuns, type TraceAsked, traceAsked, type TraceFlags, withTraceFlags, writeTrace } from '../trace.ts';

export interface KernelArguments extends CaseArguments, TraceFlags {
  readonly engine: string;
  readonly workers: string | undefined;
  readonly json: string | undefined;
}

const text = { type: 'string', nargs: 1 } as const;

export function kernelCommand(io: Io): CommandModule<object, KernelArguments> {
  return {
    command: 'kernel [name]',
    describe: 'time one kernel: cycles, and where those of every PE go',
    builder: (yargs) =>
      withTraceFlags(withCases(yargs))
        .option('engine', { ...text, default: 'auto', describe: 'stepped, streamed or auto' })
        .option('workers', { ...workersOption, describe: `${workersOption.describe}; for --engine stepped` })
        // Without nargs yargs takes the - of `--json -` for an argument of the command.
        .option('json', { ...text, describe: 'a JSON line a case; - is stdout' })
        .example('$0 kernel --spec cases.json', 'the cases of a file, a line of JSON each')
        .example('$0 kernel spmm --cols 96 --in 768 --out 768 --tokens 64', 'a dense matmul on one row')
        .example('$0 kernel --spec case.json --trace case.pftrace', 'all PEs over time, for ui.perfetto.dev')
        .example(
          '$0 kernel weightGradient --cols 96 --in 768 --out 96 --tokens 64 --sparsity 0.75',
          'its gradient by the weights: the products of one chunk of output features',
        ),
    handler: (given) => runKernel(given, io),
  };
}

async function runKernel(given: KernelArguments, io: Io): Promise<void> {
  const { json } = given;
  const engine = choice('--engine', given.engine, ['auto', 'stepped', 'streamed']);
  const use = { engine, workers: workersOf(given.workers) };
  checkDestination('--json', json);
  const asked = traceAsked(given);
  const { cases, machine } = givenCases('kernel', given);
  if (asked !== undefined && cases.length > 1) throw inputError(`--trace: got ${cases.length} cases, allowed one`);
  if (json !== undefined || machine === undefined) {
    await writeLines(json ?? STDOUT, cases, use, io);
  } else {
    const [one] = cases;
    for await (const timing of timings(cases, use, io.signal)) {
      if (timing.cycles === 'deadlock') throw new EmulateError(EXIT.deadlock, timing.why);
      await io.stdout.write(summaryOf(one, timing, machine));
    }
  }
  if (asked !== undefined) await traceKernel(cases[0], asked, io);
}

async function traceKernel(one: KernelCase, asked: TraceAsked, io: Io): Promise<void> {
  const { window, pes } = asked;
  const seen = await watchInWorker(
    {
      one,
      pes: pes === undefined ? undefined : { flag: '--pes', text: pes },
      cycles: window === undefined ? undefined : { flag: '--window', text: window },
      most: mostRuns(asked),
    },
    io.signal,
  );
  const timeline = peTimeline(seen.kernel, [{ at: 0, kernel: seen.kernel, pes: seen.pes }]);
  await writeTrace(io, asked, timeline, seen.isCut ? seen.until : null);
}

/** A line a case, to stdout or to a file, piece by piece. A deadlock is a line like any other, and the exit code then (4). */
async function writeLines(file: string, cases: readonly KernelCase[], use: EngineUse, io: Io): Promise<void> {
  const opened = file === STDOUT ? undefined : open(file);
  const deadlocks: string[] = [];
  try {
    for await (const timing of timings(cases, use, io.signal)) {
      if (timing.cycles === 'deadlock') deadlocks.push(timing.why);
      for (const piece of lineOf(timing)) {
        if (opened === undefined) await io.stdout.write(piece);
        else write(opened, piece, file);
      }
    }
  } catch (error) {
    // What broke a law has no report, and the cases before it would be half of one.
    if (opened !== undefined && error instanceof LawError) rmSync(file, { force: true });
    throw error;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
  if (deadlocks.length === 0) return;
  const head =
    cases.length === 1 ? '' : `${deadlocks.length} of ${cases.length} cases end in deadlock, the first of them:\n`;
  throw new EmulateError(EXIT.deadlock, `${head}${deadlocks[0]}`);
}

function write(opened: number, piece: string, file: string): void {
  try {
    writeSync(opened, piece);
  } catch (error) {
    throw unwritable('--json', file, error);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw unwritable('--json', file, error);
  }
}
