// The mappings that fit, each with the least cycles that it can take. Letters: C columns of a group, T tokens a PE.
//
// Columns: with F = ceil(width / C) features a PE, the fewest columns for each F, since more would leave slots of features
// empty; and multiples of the heads, which leave no column without a head. Tokens: with attention a sequence takes ceil(sequence / T) rows, and of all T with as many rows the smallest has
// the least padding. Without attention tokens lie anywhere: multiples of four, which fill the vector slots, and the fewest
// tokens for each number of passes. Groups and rows: as many groups as there are have the fewest rows; fewer groups and
// more rows are tried where a small batch then leaves fewer slots of tokens empty, because padding streams in like any
// other token. Accumulators, the tile of scores and the slice of logits follow (fit.ts).

import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { ProgramOperator, ProgramStep } from '../../compiler/lower/program.ts';
import { type Choice, fitMapping, hasAttention, isMisfit, type Misfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { MappingRequest } from '../../compiler/model/spec.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { LeastCycles } from './least.ts';
import { isClosed, workAhead } from './work.ts';

const FEWEST_COLUMNS = 8;
/** Numbers of passes for which the fewest tokens are tried, where tokens lie anywhere. */
const MOST_PASSES = 64;
const VECTOR = 4;

export interface Candidate {
  readonly mapping: Mapping;
  /** Bytes of the fullest PE. */
  readonly bytes: number;
  /** Least cycles of all passes, every layer counted as the first. */
  readonly bound: number;
  /** The same by operator of the first layer. */
  readonly operatorBounds: readonly number[];
}

export interface Candidates {
  /** In the order in which they are worth running: by bound, then as `earlier` says. */
  readonly fitting: readonly Candidate[];
  /** Left out because it is too much work to run them exactly. */
  readonly tooDear: number;
  /** Where nothing fits: the nearest miss. */
  readonly misfit?: { readonly choice: Choice; readonly misfit: Misfit };
}

/** Which of two equally fast mappings is taken: less SRAM, then fewer columns, tokens, groups. */
export function earlier(a: Candidate, b: Candidate): number {
  return (
    a.bytes - b.bytes ||
    a.mapping.columns - b.mapping.columns ||
    a.mapping.tokensPerPe - b.mapping.tokensPerPe ||
    a.mapping.groups - b.mapping.groups
  );
}

/** The mappings of a graph that a PE of `sramBytes` holds. */
export function candidates(
  graph: Graph,
  machine: Machine,
  request: MappingRequest,
  least: LeastCycles,
  sramBytes: number = machine.memory.sramBytes,
): Candidates {
  const thin = firstLayer(graph);
  const count = multiplicity(graph);
  const within = { ...machine, memory: { ...machine.memory, sramBytes } };
  const fits: Mapping[] = [];
  let nearest: { choice: Choice; misfit: Misfit } | undefined;
  for (const columns of columnCounts(graph, machine, request))
    for (const tokensPerPe of tokenCounts(graph, machine, request, columns)) {
      const choice = { columns, tokensPerPe, accumulators: request.accumulators };
      const fit = fitMapping(thin, within, request, choice);
      if (isMisfit(fit)) {
        if (nearest === undefined || fit.demand / fit.limit < nearest.misfit.demand / nearest.misfit.limit)
          nearest = { choice, misfit: fit };
        // Without attention what a PE holds only grows with its tokens.
        if (fit.memory !== undefined && !hasAttention(graph)) break;
        continue;
      }
      fits.push(...withFewerGroups(fit, thin, within, request, choice));
    }
  const cheap = fits.filter((mapping) => isCheap(graph, machine, mapping));
  const taken = cheap.length > 0 ? cheap : fits;
  const fitting = taken.map((mapping) => candidateOf(thin, machine, mapping, least, count));
  fitting.sort((a, b) => a.bound - b.bound || earlier(a, b));
  return { fitting, tooDear: fits.length - taken.length, ...(nearest === undefined ? {} : { misfit: nearest }) };
}

/** Work of a whole run up to which features may be so short that only looking ahead times them. */
const MOST_WORK_AHEAD = 5e9;

function isCheap(graph: Graph, machine: Machine, mapping: Mapping): boolean {
  return isClosed(mapping, machine) || workAhead(graph, mapping) <= MOST_WORK_AHEAD;
}

function candidateOf(
  thin: Graph,
  machine: Machine,
  mapping: Mapping,
  least: LeastCycles,
  count: (operator: ProgramOperator) => number,
): Candidate {
  const { operators, memory } = lower({ graph: thin, machine, mapping, nodes: [] });
  const cycles = (step: ProgramStep): number => step.repeat * least(step, mapping.rows);
  const operatorBounds = operators.map(
    (operator) => operator.steps.reduce((sum, step) => sum + cycles(step), 0) * count(operator) * mapping.passes,
  );
  return { mapping, bytes: memory.bytes, bound: operatorBounds.reduce((a, b) => a + b, 0), operatorBounds };
}

/** A mapping, and those with fewer groups and more rows that hold a pass with fewer slots of tokens. */
function withFewerGroups(
  fit: Mapping,
  thin: Graph,
  machine: Machine,
  request: MappingRequest,
  choice: Choice,
): Mapping[] {
  const found = [fit];
  const limitRows = request.rows ?? machine.fabric.height;
  let slots = fit.groups * fit.rows;
  for (let rows = fit.rows + fit.rowsPerSequence; rows <= limitRows; rows += fit.rowsPerSequence) {
    const units = unitsOfPass(thin, fit);
    const groups = Math.ceil(units / (rows / fit.rowsPerSequence));
    if (groups * rows >= slots) continue;
    slots = groups * rows;
    const other = fitMapping(thin, machine, { ...request, groups, rows }, choice);
    if (!isMisfit(other) && other.passes === fit.passes) found.push(other);
    if (groups === 1) break;
  }
  return found;
}

/** Sequences of a pass, or shares of T tokens where there is no attention. */
function unitsOfPass(graph: Graph, { tokensPerPe, passes }: Mapping): number {
  const units = hasAttention(graph) ? graph.batch : Math.ceil((graph.batch * graph.sequence) / tokensPerPe);
  return Math.ceil(units / passes);
}

/** The graph without the layers after the first, which are like it. */
export function firstLayer(graph: Graph): Graph {
  return { ...graph, nodes: graph.nodes.filter(({ id }) => !isLaterLayer(id)) };
}

function isLaterLayer(id: string): boolean {
  return id.startsWith('h.') && !id.startsWith('h.0.');
}

/** How many operators of the whole graph one of the first layer stands for. */
export function multiplicity(graph: Graph): (operator: Pick<ProgramOperator, 'name'>) => number {
  const layers = new Set(graph.nodes.filter(({ id }) => id.startsWith('h.')).map(({ id }) => id.split('.')[1])).size;
  return ({ name }) => (name.startsWith('h.') ? layers : 1);
}

function columnCounts(graph: Graph, { fabric }: Machine, request: MappingRequest): number[] {
  if (request.columns !== null) return [request.columns];
  const { operator } = graph.nodes[0];
  const width =
    operator.kind === 'linear' ? operator.in : operator.kind === 'embedding' ? operator.width : fabric.width;
  const counts = new Set<number>([Math.min(width, fabric.width)]);
  for (let features = 1; features <= width; features++) counts.add(Math.ceil(width / features));
  const heads = graph.nodes.find((node) => node.operator.kind === 'scores')?.operator;
  if (heads?.kind === 'scores')
    for (let columns = heads.heads; columns <= fabric.width; columns += heads.heads) counts.add(columns);
  const few = Math.min(FEWEST_COLUMNS, width, fabric.width);
  return [...counts].filter((columns) => columns >= few && columns <= fabric.width).sort((a, b) => a - b);
}

function tokenCounts(graph: Graph, { fabric, memory }: Machine, request: MappingRequest, columns: number): number[] {
  if (request.tokensPerPe !== null) return [request.tokensPerPe];
  const rows = request.rows ?? fabric.height;
  const counts = new Set<number>();
  if (hasAttention(graph)) {
    for (let used = 1; used <= Math.min(rows, graph.sequence); used++) counts.add(Math.ceil(graph.sequence / used));
    return [...counts].sort((a, b) => a - b);
  }
  const tokens = graph.batch * graph.sequence;
  // A feature of a token takes two bytes: what is larger does not fit, but the nearest miss is to be known.
  const most = Math.min(tokens, Math.ceil(memory.sramBytes / 2));
  for (let count = 1; count <= VECTOR; count++) counts.add(Math.min(count, most));
  for (let count = VECTOR; count <= most; count += VECTOR) counts.add(count);
  const groups = Math.min(request.groups ?? Infinity, Math.floor(fabric.width / columns));
  for (let passes = 1; passes <= MOST_PASSES; passes++)
    counts.add(Math.min(most, Math.ceil(tokens / (Math.max(1, groups) * rows * passes))));
  return [...counts].sort((a, b) => a - b);
}
