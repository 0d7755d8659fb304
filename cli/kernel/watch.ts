// A case as what can be watched, and the worker's answer to being asked for a part of it.

import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { view, type View, type Watchable } from '../../run/watched.ts';
import type { KernelCase, PlainCase } from '../../run/kernelCase.ts';
import { placeOf, placesOf, spanOf } from '../ranges.ts';
import { lineProgram, plainOf, timeCase } from './timing.ts';

/** Which PEs, and which cycles of them: as the flags of a command line say it. */
export interface Asked {
  readonly one: KernelCase;
  /** Of PEs the flag and its text; of a row its number; nothing for all. */
  readonly pes?: { readonly flag: '--pe' | '--pes' | '--row'; readonly text: string } | undefined;
  /** Nothing for all. */
  readonly cycles?: { readonly flag: '--cycles' | '--window'; readonly text: string } | undefined;
  /** Runs that there is room for. */
  readonly most: number;
}

export interface Watched extends View {
  readonly kernel: string;
  readonly width: number;
  readonly height: number;
  /** Of the whole kernel; null where it ends in deadlock. */
  readonly cycles: number | null;
  /** By PE of the view: the code of its threads. */
  readonly threads: readonly (readonly Int32Array[])[];
  readonly edgeColors: readonly number[];
}

export function watch({ one, pes, cycles: window, most }: Asked): Watched {
  const plain = plainOf(one);
  const watchable = watchableOf(plain);
  const { program, rows, isFolded } = watchable;
  const { width } = program;
  const height = isFolded ? rows : program.height;
  // The fast engines say how long it takes; where it never ends, stepping to where it stands says why.
  const timing = timeCase(plain, 'auto');
  const cycles = timing.cycles === 'deadlock' ? null : timing.cycles;
  if (cycles === null && window === undefined) throw new EmulateError(EXIT.deadlock, timing.why);
  const known = cycles ?? Infinity;
  const span = window === undefined ? { from: 0, until: known } : spanOf(window.flag, window.text, known);
  const places = placesAsked(pes, width, height);
  const seen = view(watchable, { places, span, cycles: known, most });
  const threads = seen.pes.map(({ x, y }) => program.cores[(isFolded ? 0 : y * width) + x].threads);
  return { ...seen, kernel: one.kernel, width, height, cycles, threads, edgeColors: program.edgeColors };
}

function placesAsked(pes: Asked['pes'], width: number, height: number): ReturnType<typeof placesOf> {
  if (pes === undefined) return placesOf('--pes', `0:${width - 1},0:${height - 1}`, width, height);
  const { flag, text } = pes;
  if (flag === '--pe') return [placeOf(flag, text, width, height)];
  return flag === '--row'
    ? placesOf(flag, `0:${width - 1},${text}`, width, height)
    : placesOf(flag, text, width, height);
}

/** Rows of a matmul fold; a line has one. */
function watchableOf(one: PlainCase): Watchable {
  const { latencies } = one;
  if (one.kernel === 'program') return { program: one.program, latencies, rows: one.program.height, isFolded: false };
  if (one.kernel !== 'spmm') return { program: lineProgram(one), latencies, rows: 1, isFolded: false };
  const program = spmmProgram({ ...one, rows: Math.min(2, one.rows) });
  return { program, latencies, rows: one.rows, isFolded: true };
}
