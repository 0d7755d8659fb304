// The trace of a run of a program: its operators, and PEs of the wafer in a window of cycles.

import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { Program } from '../compiler/lower/program.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { operatorTimeline } from '../report/trace/operators.ts';
import { peTimeline, together } from '../report/trace/pes.ts';
import type { MainResult } from '../run/main.ts';
import type { WaferResult } from '../run/result.ts';
import { windowInWorker } from '../run/windowInWorker.ts';
import type { Io } from './io.ts';
import { placesOf, spanOf } from './ranges.ts';
import { mostRuns, type TraceAsked, writeTrace } from './trace.ts';

/** Of what the main job ran with zeros. */
export async function traceModel(io: Io, asked: TraceAsked, { spec, graph, wafer }: MainResult): Promise<void> {
  const machine = withBankConflicts(spec.machine.machine);
  await traceRun(io, asked, lower(placeGraph(graph, machine, wafer.mapping)), wafer);
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
