// Picks a mapping: of the candidates that fit, in the order of a guess, the fastest by the exact engines. A candidate
// whose least possible cycles exceed the best so far is left out. A layer is judged by the first one, masks included.

import type { Graph } from '../compiler/graph/graph.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import { misfitError } from '../compiler/mapping/fit.ts';
import type { MappingRequest } from '../compiler/model/spec.ts';
import { internalError } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { type Candidate, candidates, firstLayer, multiplicity } from './candidates.ts';
import { runProgram } from './program.ts';
import type { Timer } from './timer.ts';

/** Candidates that are run; the rest are left to their guess. */
const TRIED = 8;

export async function chooseMapping(
  graph: Graph,
  machine: Machine,
  request: MappingRequest,
  timer: Timer,
  onTry?: (tried: number, of: number) => void,
): Promise<Mapping> {
  const { fitting, misfit } = candidates(graph, machine, request);
  if (fitting.length === 0) {
    if (misfit === undefined) throw internalError('the mapper had no candidate');
    throw misfitError(graph.name, misfit.choice, misfit.misfit);
  }
  fitting.sort((a, b) => a.guess - b.guess || a.mapping.columns - b.mapping.columns);
  const tried = fitting.slice(0, TRIED);
  let best = tried[0].mapping;
  let cycles = Infinity;
  for (const [i, { mapping, bound }] of tried.entries()) {
    onTry?.(i, tried.length);
    if (tried.length > 1 && bound >= cycles) continue;
    const took = tried.length > 1 ? await judge(graph, machine, tried[i], timer) : 0;
    if (took < cycles) {
      cycles = took;
      best = mapping;
    }
  }
  return best;
}

/** Cycles of all passes, every layer counted as the first. */
async function judge(graph: Graph, machine: Machine, { mapping }: Candidate, timer: Timer): Promise<number> {
  const thin = firstLayer(graph);
  const { operators } = await runProgram(lower(placeGraph(thin, machine, mapping)), { timer });
  const count = multiplicity(graph);
  return operators.reduce((sum, { cycles }, i) => sum + cycles * count(thin.nodes[i]), 0) * mapping.passes;
}
