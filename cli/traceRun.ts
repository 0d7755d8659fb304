// The trace of a run of a program: its operators, and PEs of the wafer in a window of cycles.

import type { Program } from '../compiler/lower/program.ts';
import { inputError } from '../emulator/errors.ts';
import { operatorTimeline } from '../report/trace/operators.ts';
import { peTimeline, together } from '../report/trace/pes.ts';
import type { WaferResult } from '../run/result.ts';
import { windowInWorker } from '../run/windowInWorker.ts';
import type { Io } from './io.ts';
import { placesOf, spanOf } from './ranges.ts';
import { mostRuns, type TraceAsked, writeTrace } from './trace.ts';

/** Refuses, before anything is run, what asks for half of a window. */
export function checkWindow({ window, pes }: TraceAsked): void {
  if (window === undefined && pes !== undefined) throw inputError('--pes: got one without --window, allowed with it');
  if (window !== undefined && pes === undefined) throw inputError('--window: got one without --pes, allowed with it');
}

export async function traceRun(io: Io, asked: TraceAsked, program: Program, result: WaferResult): Promise<void> {
  const operators = operatorTimeline(program.name, result);
  const { window, pes } = asked;
  if (window === undefined || pes === undefined) {
    await writeTrace(io, asked, operators, null);
    return;
  }
  const { groups, columns, rows } = program.mapping;
  const places = placesOf('--pes', pes, groups * columns, rows);
  const span = spanOf('--window', window, result.cycles);
  const { parts, cutAt } = await windowInWorker(program, result, { places, span, most: mostRuns(asked) }, io.signal);
  await writeTrace(io, asked, together(operators, peTimeline(program.name, parts)), cutAt);
}
