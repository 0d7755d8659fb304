// From the three numbers that matter (C, T, K) to a whole mapping, or the inequality that does not hold. Rows, groups and
// passes follow from the batch; the tile of scores, the slice of logits and the accumulators of each matmul that nobody
// asked for are as many as SRAM allows.

import { EmulateError, EXIT } from '../../emulator/errors.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { type Accumulators, accumulatorsText, type MatmulName } from '../../kernels/spmm/accumulators.ts';
import { type Graph, type GraphNode, isOfFirst, type OperatorKind } from '../graph/graph.ts';
import type { MappingRequest } from '../model/spec.ts';
import { memoryDuring, memoryParts, memoryUse } from './memory.ts';
import { bytesOfSum, type MemoryUse } from './memoryUse.ts';
import { largestGradients, leastGradients } from './gradients.ts';
import type { GradientSizes, Mapping } from './mapping.ts';
import type { BackwardPart } from './trainingMemory.ts';

/** What the mapper varies. */
export interface Choice {
  readonly columns: number;
  readonly tokensPerPe: number;
  /** Of all matmuls, or of those that are named; the others, or with null all, get as many as there is room for. */
  readonly accumulators: Accumulators | null;
}

/** An inequality that does not hold, and what would make it hold. */
export interface Misfit {
  /** The field of a mapping that would have to change. */
  readonly field: 'columns' | 'groups' | 'rows' | 'tokensPerPe' | 'accumulators';
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
  const { tokensPerPe } = choice;
  const rowsPerSequence = hasAttention(graph) ? Math.ceil(graph.sequence / tokensPerPe) : 1;
  const limitRows = request.rows ?? machine.fabric.height;
  const misfit = fabricMisfit(graph, machine, request, choice, rowsPerSequence);
  if (misfit !== undefined) return misfit;
  const room = Math.floor(machine.fabric.width / choice.columns);
  const units = hasAttention(graph) ? graph.batch : Math.ceil((graph.batch * graph.sequence) / tokensPerPe);
  // A pass streams all weights, so there are as few as can be.
  const sideBySide = Math.min(room, request.groups ?? room);
  const passes = Math.ceil(units / (sideBySide * Math.floor(limitRows / rowsPerSequence)));
  const inPass = Math.ceil(units / passes);
  const unitRows = Math.ceil(inPass / sideBySide);
  const common = {
    columns: choice.columns,
    tokensPerPe,
    accumulators: choice.accumulators ?? {},
    // No more groups than these rows need: the rest would stream padding.
    groups: Math.ceil(inPass / unitRows),
    rows: unitRows * rowsPerSequence,
    rowsPerSequence,
    passes,
    accumulate: request.accumulate,
    causal: request.causal,
  };
  return fitSizes(graph, machine, request, common);
}

function fabricMisfit(
  graph: Graph,
  { fabric: { width, height } }: Machine,
  request: MappingRequest,
  { columns, tokensPerPe }: Choice,
  rowsPerSequence: number,
): Misfit | undefined {
  const rows = request.rows ?? height;
  const pes = { unit: 'PEs', limit: width };
  if (columns > width)
    return { ...pes, field: 'columns', what: 'columns of a group', demand: columns, levers: ['fewer columns'] };
  if (request.groups !== null && request.groups * columns > width) {
    const demand = request.groups * columns;
    const levers = ['fewer groups', 'fewer columns'];
    return { ...pes, field: 'groups', what: `columns of ${request.groups} groups of ${columns}`, demand, levers };
  }
  if (rows > height)
    return { field: 'rows', what: 'rows', demand: rows, limit: height, unit: 'PEs', levers: ['fewer rows'] };
  if (rowsPerSequence <= rows) return undefined;
  return {
    field: 'tokensPerPe',
    what: `rows of a sequence of ${graph.sequence} tokens at ${tokensPerPe} a PE`,
    demand: rowsPerSequence,
    limit: rows,
    unit: 'rows',
    levers: ['more tokens a PE', 'a shorter sequence'],
  };
}

type Sizes = Pick<Mapping, 'keyBlock' | 'logitSlice' | 'accumulators' | 'gradients'>;

/** Operators run one after the other, so each size may be as large as fits beside the operands of its own operators. */
function fitSizes(
  graph: Graph,
  machine: Machine,
  { gradients: gradientsAsked = {} }: MappingRequest,
  common: Omit<Mapping, 'keyBlock' | 'logitSlice'>,
): Mapping | Misfit {
  const { columns, tokensPerPe } = common;
  const asked = common.accumulators;
  const vocabulary = vocabularyOf(graph);
  const keyBlocks = hasAttention(graph) ? halvings(tokensPerPe) : [1];
  const slices = vocabulary > 0 ? halvings(Math.ceil(vocabulary / columns)) : [1];
  const gradients = leastGradients(graph, columns, gradientsAsked);
  const withLeast = (least: number): Sizes => ({
    keyBlock: keyBlocks[keyBlocks.length - 1],
    logitSlice: slices[slices.length - 1] * columns,
    accumulators: atLeast(asked, least, graph),
    ...ofGradients(gradients),
  });
  const smallest = withLeast(1);
  const memory = memoryUse(graph, machine, { ...common, ...smallest });
  if (memory.bytes > memory.sramBytes) {
    const fewest = memoryUse(graph, machine, { ...common, ...smallest, accumulators: 1 });
    return {
      field: fewest.bytes > memory.sramBytes ? 'tokensPerPe' : 'accumulators',
      what: `SRAM of the fullest PE during ${memory.operator}`,
      demand: memory.bytes,
      limit: memory.sramBytes,
      unit: 'bytes',
      levers: [
        'more columns a group',
        'fewer tokens a PE',
        ...(asked === 1 ? [] : ['fewer accumulators']),
        ...(gradientsAsked.sums === undefined && gradientsAsked.buffers === undefined ? [] : ['fewer gradients']),
      ],
      memory,
    };
  }
  const layer = graph.nodes.filter(isOfFirst);
  const fits = (kinds: readonly OperatorKind[], sizes: Sizes): boolean =>
    layer
      .filter(({ operator }) => kinds.includes(operator.kind))
      .every((node) => memoryDuring(node, graph, machine, { ...common, ...sizes }).bytes <= memory.sramBytes);
  const keyBlock =
    keyBlocks.find((size) => fits(['position', 'scores', 'softmax', 'values'], { ...smallest, keyBlock: size })) ?? 1;
  // A larger slice saves more than accumulators beyond a few: the LM head is dense, its columns are even.
  const least = FEW_ACCUMULATORS.find((few) => fits(['lmHead'], withLeast(few))) ?? 1;
  const slice = slices.find((size) => fits(['lmHead'], { ...withLeast(least), logitSlice: size * columns })) ?? 1;
  const blocks = { keyBlock, logitSlice: slice * columns };
  const room = (of: GradientSizes): number =>
    roomBeside('wgrad', layer, graph, machine, { ...common, ...smallest, ...blocks, gradients: of });
  const sizes = {
    ...blocks,
    ...ofGradients(gradients === undefined ? undefined : largestGradients(gradients, gradientsAsked, room)),
  };
  return { ...common, ...sizes, accumulators: grown(graph, machine, { ...common, ...sizes }) };
}

/** Bytes left where the operators' parts of that name leave the fewest. */
function roomBeside(
  name: BackwardPart['name'],
  nodes: readonly GraphNode[],
  graph: Graph,
  machine: Machine,
  mapping: Mapping,
): number {
  const parts = nodes.flatMap((node) => memoryParts(node, graph, machine, mapping));
  return parts
    .filter(({ operator }) => operator.endsWith(`.${name}`))
    .reduce((least, { bytes, sramBytes }) => Math.min(least, sramBytes - bytes), Infinity);
}

function ofGradients(gradients: GradientSizes | undefined): Pick<Mapping, 'gradients'> {
  return gradients === undefined ? {} : { gradients };
}

const FEW_ACCUMULATORS = [8, 6, 4, 3, 2, 1] as const;

/** Numbers of accumulators to choose from: each saves something over the one before, and 128 nearly all that there is. */
const ACCUMULATORS = [128, 96, 64, 48, 32, 24, 16, 12, ...FEW_ACCUMULATORS] as const;

function matmulNameOf({ operator }: GraphNode): MatmulName | undefined {
  if (operator.kind === 'linear') return operator.weight;
  return operator.kind === 'lmHead' ? 'lmHead' : undefined;
}

/** Those that are asked for, and `least` for the others. */
function atLeast(asked: Accumulators, least: number, graph: Graph): Accumulators {
  if (typeof asked === 'number') return asked;
  const all: Partial<Record<MatmulName, number>> = {};
  for (const node of graph.nodes.filter(isOfFirst)) {
    const name = matmulNameOf(node);
    if (name !== undefined) all[name] = asked[name] ?? least;
  }
  return all;
}

/** Those that are asked for, and for the others as many as there is room for while their matmul runs. */
function grown(graph: Graph, machine: Machine, mapping: Mapping): Accumulators {
  const asked = mapping.accumulators;
  if (typeof asked === 'number') return asked;
  const least = { ...mapping, accumulators: atLeast(asked, 1, graph) };
  const all: Partial<Record<MatmulName, number>> = {};
  for (const node of graph.nodes.filter(isOfFirst)) {
    const name = matmulNameOf(node);
    if (name === undefined) continue;
    const room = memoryParts(node, graph, machine, least)
      .filter(({ items }) => items.some(({ what }) => what === 'accumulators'))
      .reduce((rest, { bytes, sramBytes }) => Math.min(rest, sramBytes - bytes), Infinity);
    const most = 1 + Math.floor(room / (bytesOfSum(mapping) * mapping.tokensPerPe));
    all[name] = asked[name] ?? ACCUMULATORS.find((count) => count <= most) ?? 1;
  }
  return all;
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

function accumulatorsAsked(accumulators: Accumulators | null): string {
  return `K = ${accumulators === null || isEmpty(accumulators) ? 1 : accumulatorsText(accumulators)} accumulators`;
}

function isEmpty(accumulators: Accumulators): boolean {
  return typeof accumulators !== 'number' && Object.keys(accumulators).length === 0;
}

export function misfitError(
  name: string,
  choice: Choice,
  { field, what, demand, limit, unit, levers, memory }: Misfit,
): EmulateError {
  const { columns, tokensPerPe, accumulators } = choice;
  const items =
    memory === undefined ? '' : `\n  ${memory.items.map((i) => `${i.what}: ${i.bytes} bytes`).join('\n  ')}`;
  return new EmulateError(
    EXIT.doesNotFit,
    `${name} does not fit with C = ${columns} columns, T = ${tokensPerPe} tokens a PE, ${accumulatorsAsked(accumulators)}: ` +
      `${what} is ${demand} ${unit}, the limit ${limit} (${demand - limit} too many); what would help: ${levers.join(', ')}${items}`,
    field,
  );
}
