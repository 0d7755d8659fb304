// Picks a mapping: the one that is fastest by the exact engines, of all that fit (mapper/candidates.ts) and that a bound does
// not rule out (mapper/least.ts, mapper/search.ts).

import type { Graph } from '../compiler/graph/graph.ts';
import { misfitError } from '../compiler/mapping/fit.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { MappingRequest } from '../compiler/model/spec.ts';
import { internalError } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { cachedMapping, keepMapping, type MappingCache, type Search } from './mapper/cache.ts';
import { type Candidates, candidates } from './mapper/candidates.ts';
import { leastCyclesOn } from './mapper/least.ts';
import { fastest } from './mapper/search.ts';
import type { Timer } from './timer.ts';

export async function chooseMapping(
  graph: Graph,
  machine: Machine,
  request: MappingRequest,
  timer: Timer,
  onTry?: (tried: number, of: number) => void,
  cache?: MappingCache,
): Promise<Mapping> {
  const search = { graph, machine, request };
  const known = cache === undefined ? undefined : cachedMapping(cache, search);
  if (known !== undefined) return known;
  const mapping = await searchMapping(search, timer, onTry);
  if (cache !== undefined) keepMapping(cache, search, mapping);
  return mapping;
}

async function searchMapping(
  { graph, machine, request }: Search,
  timer: Timer,
  onTry?: (tried: number, of: number) => void,
): Promise<Mapping> {
  const { fitting } = candidatesOrThrow(graph, machine, request);
  if (fitting.length === 1) return fitting[0].mapping;
  return (await fastest(fitting, { graph, machine, timer, onTry })).mapping;
}

/** What fits, by bound; throws (exit 3) if nothing does. */
export function candidatesOrThrow(graph: Graph, machine: Machine, request: MappingRequest): Candidates {
  const found = candidates(graph, machine, request, leastCyclesOn(machine));
  const { fitting, misfit } = found;
  if (fitting.length > 0) return found;
  if (misfit === undefined) throw internalError('the mapper had no candidate');
  throw misfitError(graph.name, misfit.choice, misfit.misfit);
}
