// A model on the wafer alone: the mapping that is best for it and the counts in it, without its dense twins and without a
// GPU. It is what a golden pins down, and the part of the main job that a test of a model needs.

import { buildGraph } from '../compiler/graph/build.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { chooseMapping } from './mapper.ts';
import { type ProgramOptions, runProgram } from './program.ts';
import type { WaferResult } from './result.ts';

/** A model and what it came to; what runModel gives is one too. */
export interface WaferRun {
  readonly spec: ModelSpec;
  readonly wafer: WaferResult;
}

export async function runWafer(spec: ModelSpec, options: ProgramOptions): Promise<WaferRun> {
  const machine = withBankConflicts(spec.machine.machine);
  const graph = buildGraph(spec);
  const mapping = await chooseMapping(graph, machine, spec.mapping, options.timer, (i, of) =>
    options.onProgress?.(i, of, 'mapping'),
  );
  return { spec, wafer: await runProgram(lower(placeGraph(graph, machine, mapping)), options) };
}
