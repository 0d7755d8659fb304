// The flags of a trace, and the file that they ask for.

import type { Argv } from 'yargs';
import { inputError } from '../emulator/errors.ts';
import { traceDocument } from '../report/trace/document.ts';
import type { Timeline } from '../report/trace/timeline.ts';
import { checkDestination, STDOUT, writeTo } from './destination.ts';
import type { Io } from './io.ts';

export interface TraceFlags {
  readonly trace: string | undefined;
  readonly window: string | undefined;
  readonly pes: string | undefined;
  readonly 'max-mb': string | undefined;
}

/** What is asked for, looked at before the work starts. */
export interface TraceAsked {
  readonly file: string;
  readonly window: string | undefined;
  readonly pes: string | undefined;
  readonly mostBytes: number;
}

export function withTraceFlags<Given>(yargs: Argv<Given>): Argv<Given & TraceFlags> {
  const text = { type: 'string', nargs: 1 } as const;
  return yargs
    .option('trace', {
      ...text,
      describe: "a trace for Perfetto; named .json in Chrome's format, named .vcd for wave viewers",
    })
    .option('window', { ...text, describe: 'of --trace: first:last cycle in which PEs are traced' })
    .option('pes', { ...text, describe: 'of --trace: the PEs, column,row or a rectangle such as 0:3,0:1' })
    .option('max-mb', { ...text, describe: `of --trace: the largest file; ${USUAL_MEGABYTES} unless given` });
}

const USUAL_MEGABYTES = 100;
const MEGABYTE = 1e6;

/** Undefined where there is no --trace. */
export function traceAsked(given: TraceFlags): TraceAsked | undefined {
  const { trace: file, window, pes } = given;
  const megabytes = given['max-mb'];
  if (file === undefined) {
    const alone = window !== undefined ? 'window' : pes !== undefined ? 'pes' : megabytes && 'max-mb';
    if (alone !== undefined) throw inputError(`--${alone}: got one without --trace, allowed with it`);
    return undefined;
  }
  if (file === STDOUT) throw inputError('--trace: got "-", allowed a file');
  checkDestination('--trace', file);
  const most = megabytes === undefined ? USUAL_MEGABYTES : Number(megabytes);
  if (!(most >= 0.001 && most <= 1000))
    throw inputError(`--max-mb: got ${JSON.stringify(megabytes)}, allowed 0.001 to 1000, megabytes`);
  return { file, window, pes, mostBytes: Math.floor(most * MEGABYTE) };
}

/** Refuses, before anything is run, what asks for half of a window. */
export function checkWindow({ window, pes }: TraceAsked): void {
  if (window === undefined && pes !== undefined) throw inputError('--pes: got one without --window, allowed with it');
  if (window !== undefined && pes === undefined) throw inputError('--window: got one without --pes, allowed with it');
}

/** Stretches of PEs and buffers that a file of this size can hold, and memory. */
export function mostRuns({ mostBytes }: TraceAsked): number {
  return Math.min(MOST_RUNS, Math.ceil(mostBytes / LEAST_BYTES));
}

/** A change of a wave, which is the shortest there is. */
const LEAST_BYTES = 8;
const MOST_RUNS = 4_000_000;

/** Writes it, and says on stderr where it had to end early; `cutAt` is where what it shows did. */
export async function writeTrace(io: Io, asked: TraceAsked, timeline: Timeline, cutAt: number | null): Promise<void> {
  const { file, mostBytes } = asked;
  const { bytes, cutAt: full } = traceDocument(file, timeline, mostBytes);
  await writeTo(io, '--trace', file, bytes);
  const ends = full === null || (cutAt !== null && cutAt < full) ? cutAt : full;
  if (ends === null) return;
  await io.stderr.write(
    `--trace ${file}: full, ends before cycle ${ends}; --window and --pes say what is to be in it, --max-mb how much\n`,
  );
}
