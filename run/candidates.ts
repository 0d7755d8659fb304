// The mappings worth trying: column counts that leave no PE with an idle feature slot, tokens a PE, and as many
// accumulators as SRAM allows. Each with the least number of cycles it can take, from slots alone.

import type { Graph, GraphNode, Operator } from '../compiler/graph/graph.ts';
import { type Choice, fitMapping, isMisfit, type Misfit } from '../compiler/mapping/fit.ts';
import { attentionCase, linearLayouts } from '../compiler/mapping/layouts.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { MappingRequest } from '../compiler/model/spec.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { ringBuffers } from '../emulator/streamed/buffers.ts';
import { attentionRotation } from '../kernels/attention/steps.ts';
import { vectorSlots } from '../kernels/attention/tile.ts';
import { localFeatures } from '../kernels/spmm/layout.ts';

const TOKENS = [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256] as const;
const ACCUMULATORS = [8, 6, 4, 3, 2, 1] as const;
const FEWEST_COLUMNS = 8;
/** Deviations below the mean that a count of random non-zeros may be: less than once in a million draws. */
const DEVIATIONS = 5;

export interface Candidate {
  readonly mapping: Mapping;
  /** Cycles of all passes that no run of this mapping can stay under, but for a draw of far too many zeros. */
  readonly bound: number;
  /** The bound and a guess of what imbalance adds: an order of trying, nothing else. */
  readonly guess: number;
}

/** All that fit; or, where nothing does, the nearest miss. */
export function candidates(
  graph: Graph,
  machine: Machine,
  request: MappingRequest,
): { readonly fitting: Candidate[]; readonly misfit?: { choice: Choice; misfit: Misfit } } {
  const thin = firstLayer(graph);
  const fitting: Candidate[] = [];
  let nearest: { choice: Choice; misfit: Misfit } | undefined;
  for (const columns of columnCounts(graph, machine, request))
    for (const tokensPerPe of tokenCounts(machine, request))
      for (const accumulators of request.accumulators === null ? ACCUMULATORS : [request.accumulators]) {
        const choice = { columns, tokensPerPe, accumulators };
        const fit = fitMapping(thin, machine, request, choice);
        if (isMisfit(fit)) {
          if (nearest === undefined || fit.demand / fit.limit < nearest.misfit.demand / nearest.misfit.limit)
            nearest = { choice, misfit: fit };
          continue;
        }
        fitting.push(candidate(graph, machine, fit));
        break;
      }
  return nearest === undefined ? { fitting } : { fitting, misfit: nearest };
}

/**
 * Tokens a PE to try. Features of fewer partial sums than the buffers between two positions hold have no closed form, so
 * the mapper leaves them to those who ask for them.
 */
function tokenCounts(machine: Machine, { tokensPerPe, accumulate }: MappingRequest): readonly number[] {
  if (tokensPerPe !== null) return [tokensPerPe];
  const held = Math.max(...ringBuffers(4, latenciesOf(machine)).slack);
  const enough = held * (accumulate === 'fp16' ? 2 : 1);
  const counts = TOKENS.filter((tokens) => tokens >= enough);
  return counts.length > 0 ? counts : [enough];
}

/** The graph without the layers after the first, which are like it. */
export function firstLayer(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.filter(({ id }) => !isLaterLayer(id)) };
}

function isLaterLayer(id: string): boolean {
  return id.startsWith('h.') && !id.startsWith('h.0.');
}

/** How many nodes of the whole graph a node of the first layer stands for. */
export function multiplicity(graph: Graph): (node: GraphNode) => number {
  const layers = new Set(graph.nodes.filter(({ id }) => id.startsWith('h.')).map(({ id }) => id.split('.')[1])).size;
  return ({ id }) => (id.startsWith('h.') ? layers : 1);
}

function columnCounts(graph: Graph, { fabric }: Machine, request: MappingRequest): number[] {
  if (request.columns !== null) return [request.columns];
  const { operator } = graph.nodes[0];
  const width =
    operator.kind === 'linear' ? operator.in : operator.kind === 'embedding' ? operator.width : fabric.width;
  const counts = new Set<number>([Math.min(width, fabric.width)]);
  for (let features = 1; features <= width; features++) counts.add(Math.ceil(width / features));
  const few = Math.min(FEWEST_COLUMNS, width, fabric.width);
  return [...counts].filter((columns) => columns >= few && columns <= fabric.width).sort((a, b) => a - b);
}

function candidate(graph: Graph, machine: Machine, mapping: Mapping): Candidate {
  const count = multiplicity(graph);
  let bound = 0;
  let guess = 0;
  for (const node of firstLayer(graph).nodes) {
    const slots = slotsOf(node.operator, graph, machine, mapping);
    bound += count(node) * slots.least;
    guess += count(node) * slots.guess;
  }
  return { mapping, bound: bound * mapping.passes, guess: guess * mapping.passes };
}

/** Slots of the fullest PE; those expected and a guess of what uneven columns cost: deviations of the slowest column. */
interface Slots {
  readonly least: number;
  readonly guess: number;
}

function slotsOf(operator: Operator, graph: Graph, { core }: Machine, mapping: Mapping): Slots {
  const { columns: C, tokensPerPe: T, accumulators: K, accumulate } = mapping;
  const half = accumulate === 'fp16';
  const psums = Math.ceil(T / (half ? 2 : 1));
  const weight = core.axpyOverhead + Math.ceil(T / (half ? core.simdFp16 : core.simdFp16ToFp32));
  const matmul = (features: number, rows: number, local: number, density: number): Slots => {
    const sums = features * (psums + core.controlSlots);
    const kept = rows * local * density;
    const deviation = Math.sqrt(local * density * (1 - density));
    const imbalance = 0.3 * rows * deviation * Math.sqrt((2 * Math.log(C)) / K);
    return {
      least: sums + weight * Math.max(0, kept - DEVIATIONS * Math.sqrt(rows) * deviation),
      guess: sums + weight * (kept + imbalance),
    };
  };
  if (operator.kind === 'linear') {
    const { input, output } = linearLayouts(operator, graph);
    const features =
      output.kind === 'strided' && output.parts === undefined ? operator.out : localFeatures(output, C) * C;
    return matmul(features, operator.out, localFeatures(input, C), 1 - operator.sparsity);
  }
  if (operator.kind === 'lmHead')
    return matmul(operator.vocabulary, operator.vocabulary, Math.ceil(operator.width / C), 1);
  let slots = 0;
  if (operator.kind === 'scores' || operator.kind === 'values')
    for (const tile of attentionRotation(attentionCase(operator, graph, mapping)))
      if (tile.kernel === 'attentionScores')
        slots += mapping.rowsPerSequence * tile.headsPerColumn * tile.features * vectorSlots(tile, core.simdFp16);
  return { least: slots, guess: slots };
}
