// Speed over sparsity: the model at several sparsities, all in the mapping of the run, so that nothing but the zeros differs.

import { buildGraph } from '../compiler/graph/build.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { EmulateError, EXIT } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { type ProgramOptions, runProgram } from './program.ts';

export interface CurvePoint {
  readonly sparsity: number;
  readonly graph: Graph;
  /** Of all passes; null where so many weights do not fit in this mapping. */
  readonly cycles: number | null;
}

const SPARSITIES = [0, 0.5, 0.75, 0.9] as const;

/** At the sparsity of the model and at those that are usual, from dense on. */
export async function runCurve(
  spec: ModelSpec,
  machine: Machine,
  mapping: Mapping,
  options: ProgramOptions,
): Promise<CurvePoint[]> {
  const sparsities = [...new Set([...SPARSITIES, spec.sparsity.value])].sort((a, b) => a - b);
  return Promise.all(
    sparsities.map(async (sparsity) => {
      const graph = buildGraph(withSparsity(spec, sparsity));
      return { sparsity, graph, cycles: await cyclesOf(graph, machine, mapping, options) };
    }),
  );
}

function withSparsity(spec: ModelSpec, value: number): ModelSpec {
  return spec.kind === 'gpt'
    ? { ...spec, sparsity: { ...spec.sparsity, value } }
    : { ...spec, sparsity: { ...spec.sparsity, value } };
}

async function cyclesOf(
  graph: Graph,
  machine: Machine,
  mapping: Mapping,
  options: ProgramOptions,
): Promise<number | null> {
  try {
    const { cycles } = await runProgram(lower(placeGraph(graph, machine, mapping)), options);
    return cycles;
  } catch (error) {
    if (error instanceof EmulateError && error.code === EXIT.doesNotFit) return null;
    throw error;
  }
}
