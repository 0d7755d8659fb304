// What the fullest PE holds, item by item, for each operator. Two bytes for fp16, four for fp32; the worst column is one
// with ceil(d / C) features. The residual stream stays all the way; anything else only from its producer to its last user.

import type { Machine } from '../../emulator/machine/spec.ts';
import { accumulatorsOf } from '../../kernels/spmm/accumulators.ts';
import { localFeatures } from '../../kernels/spmm/layout.ts';
import { attentionSram } from '../../kernels/attention/sram.ts';
import { layoutOf } from '../../kernels/attention/steps.ts';
import type { Graph, GraphNode, Operator } from '../graph/graph.ts';
import { attentionCase, linearLayouts } from './layouts.ts';
import type { Mapping } from './mapping.ts';

export interface MemoryItem {
  readonly what: string;
  readonly bytes: number;
}

export interface MemoryUse {
  /** The operator during which it is fullest. */
  readonly operator: string;
  readonly items: readonly MemoryItem[];
  readonly bytes: number;
  readonly sramBytes: number;
}

/** What decides the memory of an operator; the mapper tries it before the rest of a mapping is known. */
export type MemoryChoice = Pick<
  Mapping,
  'columns' | 'tokensPerPe' | 'accumulators' | 'accumulate' | 'keyBlock' | 'causal' | 'logitSlice'
>;

const FP16 = 2;
const FP32 = 4;

/** Bytes of `features` features of all tokens of a PE. */
function vectors(features: number, { tokensPerPe }: MemoryChoice): number {
  return FP16 * features * tokensPerPe;
}

/** Bytes of a partial sum of one token. */
export function bytesOfSum({ accumulate }: Pick<MemoryChoice, 'accumulate'>): number {
  return accumulate === 'fp16' ? FP16 : FP32;
}

/** Items of one operator, without those that are always there. */
function operatorItems(operator: Operator, graph: Graph, choice: MemoryChoice): MemoryItem[] {
  const { columns: C, tokensPerPe: T } = choice;
  const local = (features: number): number => vectors(Math.ceil(features / C), choice);
  switch (operator.kind) {
    case 'embedding':
      return [];
    case 'norm':
      return [
        { what: 'normalised activations', bytes: local(operator.width) },
        { what: 'sums of the normalisation', bytes: 2 * FP32 * T },
      ];
    case 'linear': {
      const { input, output } = linearLayouts(operator, graph);
      return [
        { what: 'input', bytes: vectors(localFeatures(input, C), choice) },
        { what: 'output', bytes: vectors(localFeatures(output, C), choice) },
        { what: 'accumulators', bytes: bytesOfSum(choice) * accumulatorsOf(choice.accumulators, operator.weight) * T },
      ];
    }
    case 'position':
    case 'scores':
    case 'softmax':
    case 'values': {
      const sram = attentionSram(attentionCase(operator, graph, choice));
      return [
        { what: 'queries', bytes: sram.queries },
        { what: 'keys and values, one block here and one arriving', bytes: sram.keysAndValues },
        { what: 'tile of scores', bytes: sram.tile },
        { what: 'output', bytes: sram.output },
        { what: 'running maxima and sums', bytes: sram.state },
      ];
    }
    case 'activation': {
      const inputs = operator.activation === 'swiglu' ? 2 : 1;
      return [{ what: 'activations', bytes: inputs * local(operator.features) }];
    }
    case 'residual':
      return [{ what: 'what is added', bytes: local(operator.width) }];
    case 'lmHead':
      return [
        { what: 'input', bytes: local(operator.width) },
        { what: 'slice of logits', bytes: vectors(Math.ceil(choice.logitSlice / C), choice) },
        {
          what: 'accumulators',
          bytes: bytesOfSum(choice) * accumulatorsOf(choice.accumulators, 'lmHead') * T,
        },
        { what: 'largest logits, their indices and sums', bytes: 2 * (FP16 + FP32) * T + FP32 * T },
      ];
  }
}

/** Items that stay while an operator runs: of the machine, of the model, and of the layer around it. */
function standingItems(
  { operator, id }: GraphNode,
  graph: Graph,
  machine: Machine,
  choice: MemoryChoice,
): MemoryItem[] {
  const items: MemoryItem[] = [{ what: 'code and queues', bytes: machine.memory.reservedBytes }];
  const table = graph.nodes[0].operator;
  if (table.kind !== 'embedding' || operator.kind === 'lmHead') return items;
  const width = vectors(Math.ceil(table.width / choice.columns), choice);
  items.push({ what: 'residual stream', bytes: width });
  const position = graph.nodes.find((node) => node.operator.kind === 'position')?.operator;
  if (position?.kind === 'position' && position.positions === 'rotary')
    items.push({ what: 'angles of rotary positions', bytes: vectors(rotaryFeatures(position, graph, choice), choice) });
  const waiting = graph.parallelBlocks ? waitingInParallel(id) : undefined;
  if (waiting !== undefined) items.push({ what: waiting, bytes: width });
  return items;
}

/** In a parallel block the normalised input waits for the MLP, and what attention and MLP give for the sums at the end. */
function waitingInParallel(id: string): string | undefined {
  if (id.endsWith('.attn.c_attn') || id.endsWith('.mlp.residual')) return undefined;
  if (id.endsWith('.attn.residual')) return 'output of the MLP';
  if (id.includes('.attn.')) return 'input of the MLP';
  return id.includes('.mlp.') ? 'output of the attention' : undefined;
}

/** Features of one head that are turned on its first column, which holds the first ones; angles take as many numbers. */
export function rotaryFeatures(
  operator: Extract<Operator, { kind: 'position' }>,
  graph: Graph,
  choice: MemoryChoice,
): number {
  return Math.min(layoutOf(attentionCase(operator, graph, choice)).features, operator.rotaryDim);
}

/** The use of the fullest PE during one operator. */
export function memoryDuring(node: GraphNode, graph: Graph, machine: Machine, choice: MemoryChoice): MemoryUse {
  const items = [...standingItems(node, graph, machine, choice), ...operatorItems(node.operator, graph, choice)];
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  return { operator: node.id, items, bytes, sramBytes: machine.memory.sramBytes };
}

/** Layers are alike, so the first one stands for all. */
export function isOfFirst({ id }: GraphNode): boolean {
  return !/^h\.[1-9]/.test(id);
}

/** The use during the operator that takes most. */
export function memoryUse(graph: Graph, machine: Machine, choice: MemoryChoice): MemoryUse {
  let fullest: MemoryUse | undefined;
  for (const node of graph.nodes) {
    if (!isOfFirst(node)) continue;
    const use = memoryDuring(node, graph, machine, choice);
    if (fullest === undefined || use.bytes > fullest.bytes) fullest = use;
  }
  if (fullest === undefined) throw new Error('internal: a graph without nodes');
  return fullest;
}
