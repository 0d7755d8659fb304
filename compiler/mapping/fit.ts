// From the three numbers that matter (C, T, K) to a whole mapping, or the inequality that does not hold. Rows, groups and
// passes follow from the batch; the tile of scores and the slice of logits are as large as SRAM allows.

import { EmulateError, EXIT } from '../../emulator/errors.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { Graph } from '../graph/graph.ts';
import type { MappingRequest } from '../model/spec.ts';
import { memoryUse, type MemoryUse } from './memory.ts';
import type { Mapping } from './mapping.ts';

/** What the mapper varies. */
export interface Choice {
  readonly columns: number;
  readonly tokensPerPe: number;
  readonly accumulators: number;
}

/** An inequality that does not hold, and what would make it hold. */
export interface Misfit {
  readonly what: string;
  readonly demand: number;
  readonly limit: number;
  readonly unit: string;
  readonly levers: readonly string[];
  readonly memory?: MemoryUse;
}

/** Ends of a search by halving: the tile of scores down to one key, the slice of logits down to one feature a PE. */
function halvings(from: number): number[] {
  const sizes: number[] = [];
  for (let n = from; n >= 1; n = n === 1 ? 0 : Math.ceil(n / 2)) sizes.push(n);
  return sizes;
}

export function fitMapping(graph: Graph, machine: Machine, request: MappingRequest, choice: Choice): Mapping | Misfit {
  const { width, height } = machine.fabric;
  const { columns, tokensPerPe } = choice;
  const limitRows = request.rows ?? height;
  if (columns > width)
    return { what: 'columns of a group', demand: columns, limit: width, unit: 'PEs', levers: ['fewer columns'] };
  if (limitRows > height)
    return { what: 'rows', demand: limitRows, limit: height, unit: 'PEs', levers: ['fewer rows'] };
  const rowsPerSequence = hasAttention(graph) ? Math.ceil(graph.sequence / tokensPerPe) : 1;
  if (rowsPerSequence > limitRows)
    return {
      what: `rows of a sequence of ${graph.sequence} tokens at ${tokensPerPe} a PE`,
      demand: rowsPerSequence,
      limit: limitRows,
      unit: 'rows',
      levers: ['more tokens a PE', 'a shorter sequence'],
    };
  const room = Math.floor(width / columns);
  const units = hasAttention(graph) ? graph.batch : Math.ceil((graph.batch * graph.sequence) / tokensPerPe);
  const unitsAPass = room * Math.floor(limitRows / rowsPerSequence);
  const passes = Math.ceil(units / unitsAPass);
  // A batch smaller than the groups leaves some without work.
  const inPass = Math.ceil(units / passes);
  const groups = Math.min(room, inPass);
  const rows = Math.ceil(inPass / groups) * rowsPerSequence;
  const common = {
    ...choice,
    groups,
    rows,
    rowsPerSequence,
    passes,
    accumulate: request.accumulate,
    causal: request.causal,
  };
  return fitSizes(graph, machine, common);
}

function fitSizes(graph: Graph, machine: Machine, common: Omit<Mapping, 'keyBlock' | 'logitSlice'>): Mapping | Misfit {
  const { columns, tokensPerPe } = common;
  const vocabulary = vocabularyOf(graph);
  const keyBlocks = hasAttention(graph) ? halvings(tokensPerPe) : [1];
  const slices = vocabulary > 0 ? halvings(Math.ceil(vocabulary / columns)) : [1];
  const smallest = { keyBlock: keyBlocks[keyBlocks.length - 1], logitSlice: slices[slices.length - 1] * columns };
  const fits = (sizes: typeof smallest): boolean => {
    const use = memoryUse(graph, machine, { ...common, ...sizes });
    return use.bytes <= use.sramBytes;
  };
  if (!fits(smallest)) {
    const memory = memoryUse(graph, machine, { ...common, ...smallest });
    return {
      what: `SRAM of the fullest PE during ${memory.operator}`,
      demand: memory.bytes,
      limit: memory.sramBytes,
      unit: 'bytes',
      levers: ['more columns a group', 'fewer tokens a PE', 'fewer accumulators'],
      memory,
    };
  }
  const keyBlock = keyBlocks.find((size) => fits({ ...smallest, keyBlock: size })) ?? smallest.keyBlock;
  const slice = slices.find((size) => fits({ keyBlock, logitSlice: size * columns })) ?? 1;
  return { ...common, keyBlock, logitSlice: slice * columns };
}

export function hasAttention(graph: Graph): boolean {
  return graph.nodes.some(({ operator }) => operator.kind === 'scores');
}

function vocabularyOf(graph: Graph): number {
  const { operator } = graph.nodes[graph.nodes.length - 1];
  return operator.kind === 'lmHead' ? operator.vocabulary : 0;
}

export function isMisfit(fit: Mapping | Misfit): fit is Misfit {
  return 'limit' in fit;
}

export function misfitError(
  name: string,
  choice: Choice,
  { what, demand, limit, unit, levers, memory }: Misfit,
): EmulateError {
  const { columns, tokensPerPe, accumulators } = choice;
  const items =
    memory === undefined ? '' : `\n  ${memory.items.map((i) => `${i.what}: ${i.bytes} bytes`).join('\n  ')}`;
  return new EmulateError(
    EXIT.doesNotFit,
    `${name} does not fit with C = ${columns} columns, T = ${tokensPerPe} tokens a PE, K = ${accumulators} accumulators: ` +
      `${what} is ${demand} ${unit}, the limit ${limit} (${demand - limit} too many); what would help: ${levers.join(', ')}${items}`,
  );
}
