// What the fullest PE holds, item by item, for each operator. Two bytes for fp16, four for fp32; the worst column is one
// with ceil(d / C) features. The residual stream stays all the way; anything else only from its producer to its last user.

import type { Machine } from '../../emulator/machine/spec.ts';
import { accumulatorsOf } from '../../kernels/spmm/accumulators.ts';
import { localFeatures } from '../../kernels/spmm/layout.ts';
import { attentionSram } from '../../kernels/attention/sram.ts';
import { layoutOf } from '../../kernels/attention/steps.ts';
import { type Graph, type GraphNode, isOfFirst, type Operator } from '../graph/graph.ts';
import { attentionCase, linearLayouts, residualLayout } from './layouts.ts';
import { bytesOfSum, FP16, FP32, type MemoryChoice, type MemoryItem, type MemoryUse, vectors } from './memoryUse.ts';
import { backwardParts, besideItems, keptHere, keptItems } from './trainingMemory.ts';

/** Items of one operator, without those that are always there. */
function operatorItems(node: GraphNode, graph: Graph, choice: MemoryChoice): MemoryItem[] {
  const { operator } = node;
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
      return [
        {
          what: 'what is added',
          bytes: vectors(localFeatures(residualLayout(node, operator.width, graph), C), choice),
        },
      ];
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

/** The use of the fullest PE during each part of one operator: forward, and in a training step its gradients. */
export function memoryParts(node: GraphNode, graph: Graph, machine: Machine, choice: MemoryChoice): MemoryUse[] {
  const { sramBytes } = machine.memory;
  const use = (operator: string, items: readonly MemoryItem[]): MemoryUse => {
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    return { operator, items, bytes, sramBytes };
  };
  const standing = standingItems(node, graph, machine, choice);
  const beside = besideItems(node, graph, choice);
  const forward = operatorItems(node, graph, choice);
  if (graph.training === null) return [use(node.id, [...standing, ...forward, ...beside])];
  const kept = keptItems(graph, choice);
  const here = keptHere(node, graph, choice);
  const again = here.length > 0;
  return [
    // Run again, an operator's output is one of the activations that are kept of its layer.
    use(again ? `${node.id}.recompute` : node.id, [
      ...standing,
      ...kept,
      ...here,
      ...withoutKept(forward, node),
      ...beside,
    ]),
    ...backwardParts(node, graph, choice).map(({ name, items }) =>
      use(`${node.id}.${name}`, [...standing, ...kept, ...here, ...items]),
    ),
  ];
}

/** What of an operator's items is not among the kept activations of its layer. */
function withoutKept(items: readonly MemoryItem[], { operator }: GraphNode): readonly MemoryItem[] {
  const isKept = (what: string): boolean => {
    if (operator.kind === 'linear')
      return what === 'output' && (operator.weight === 'qkv' || operator.weight === 'mlpIn');
    return operator.kind === 'scores' && what === 'queries';
  };
  return items.filter(({ what }) => !isKept(what));
}

/** The use during the part that takes most. */
export function memoryDuring(node: GraphNode, graph: Graph, machine: Machine, choice: MemoryChoice): MemoryUse {
  return memoryParts(node, graph, machine, choice).reduce((most, use) => (use.bytes > most.bytes ? use : most));
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
