// What the fullest PE holds in a training step, beside what it holds in a forward pass: the activations that are kept for the
// gradients, the gradient that comes down the residual stream, and what each gradient works on.
//
// Kept of a layer are the normalised activations, queries, keys and values, the output of the attention, and the inputs of
// the activation, all in fp16. What reads a norm or an activation gets it anew from these. With recompute 'layer' only the
// input of each layer is kept, and the rest of one layer at a time, while it is run again.

import { attentionBackwardSram } from '../../kernels/attention/backwardSteps.ts';
import { accumulatorsOf } from '../../kernels/spmm/accumulators.ts';
import { type Layout, localFeatures } from '../../kernels/spmm/layout.ts';
import { besideOf, isAdapter } from '../graph/adapters.ts';
import { type Graph, type GraphNode, isOfFirst, type Operator } from '../graph/graph.ts';
import { isTrained } from '../graph/trained.ts';
import { attentionCase, linearLayouts } from './layouts.ts';
import { bytesOfSum, FP16, FP32, type MemoryChoice, type MemoryItem, vectors } from './memoryUse.ts';

/** The gradients of one operator, each with what it works on. */
export interface BackwardPart {
  readonly name: 'dgrad' | 'wgrad' | 'backward';
  readonly items: readonly MemoryItem[];
}

type LinearOperator = Extract<Operator, { kind: 'linear' }>;

function isLinear(node: GraphNode): node is GraphNode & { readonly operator: LinearOperator } {
  return node.operator.kind === 'linear';
}

/** Of one layer, as recompute 'none' keeps it; the operators' own outputs among them are named by `keeps`. */
export function keptOfLayer(graph: Graph, choice: MemoryChoice): MemoryItem[] {
  const layer = graph.nodes.filter((node) => isOfFirst(node) && node.id.startsWith('h.'));
  const { columns: C, tokensPerPe: T } = choice;
  let norms = 0;
  let adapters = 0;
  const items: MemoryItem[] = [];
  for (const node of layer) {
    const { operator } = node;
    if (operator.kind === 'norm') norms += vectors(Math.ceil(operator.width / C), choice) + FP32 * T;
    if (operator.kind === 'scores') {
      const { state } = attentionBackwardSram(attentionCase(operator, graph, choice));
      items.push({ what: 'maxima and sums of the softmax', bytes: state });
    }
    if (!isLinear(node)) continue;
    const { input, output } = linearLayouts(node.operator, graph);
    if (node.id.endsWith('.lora_A')) adapters += vectors(localFeatures(output, C), choice);
    if (isAdapter(node)) continue;
    if (node.operator.weight === 'qkv')
      items.push({ what: 'queries, keys and values', bytes: vectors(localFeatures(output, C), choice) });
    if (node.operator.weight === 'attentionOut')
      items.push({ what: 'output of the attention', bytes: vectors(localFeatures(input, C), choice) });
    if (node.operator.weight === 'mlpIn')
      items.push({ what: 'inputs of the activation', bytes: vectors(localFeatures(output, C), choice) });
  }
  if (adapters > 0) items.push({ what: 'between the matrices of adapters', bytes: adapters });
  return [{ what: 'normalised activations', bytes: norms }, ...items];
}

/** Beside an adapter its matrix' output waits until theirs is added. */
export function besideItems(node: GraphNode, graph: Graph, choice: MemoryChoice): MemoryItem[] {
  const beside = besideOf(node, graph);
  if (beside === undefined) return [];
  // Run again it is one of the activations that are kept, and that of B is the one beside it.
  const { weight } = beside.operator;
  const isKept = graph.training?.recompute === 'layer' && (weight === 'qkv' || weight === 'mlpIn');
  if (isKept && !node.id.endsWith('.lora_B')) return [];
  const { output } = linearLayouts(beside.operator, graph);
  return [{ what: 'output of the matrix beside it', bytes: vectors(localFeatures(output, choice.columns), choice) }];
}

/** What stays during the whole backward pass and, where all is kept, at the end of the forward pass. */
export function keptItems(graph: Graph, choice: MemoryChoice): MemoryItem[] {
  if (graph.training === null) return [];
  const { layers, recompute } = graph.training;
  if (recompute === 'none')
    return keptOfLayer(graph, choice).map(({ what, bytes }) => ({
      what: `kept of ${layers} layers: ${what}`,
      bytes: layers * bytes,
    }));
  const table = graph.nodes[0].operator;
  const width = table.kind === 'embedding' ? table.width : 0;
  const bytes = layers * vectors(Math.ceil(width / choice.columns), choice);
  return [{ what: `kept of ${layers} layers: input`, bytes }];
}

/** What is kept of the layer whose gradients are taken. */
export function keptHere(node: GraphNode, graph: Graph, choice: MemoryChoice): MemoryItem[] {
  if (graph.training?.recompute !== 'layer' || !node.id.startsWith('h.')) return [];
  return keptOfLayer(graph, choice).map(({ what, bytes }) => ({ what: `of the layer run again: ${what}`, bytes }));
}

/** The gradients of an operator; none where nothing but passing on is to be done. */
export function backwardParts(node: GraphNode, graph: Graph, choice: MemoryChoice): BackwardPart[] {
  const { operator } = node;
  const { columns: C, tokensPerPe: T } = choice;
  const local = (features: number): number => vectors(Math.ceil(features / C), choice);
  switch (operator.kind) {
    case 'embedding':
    case 'residual':
    case 'position':
    case 'softmax':
    case 'values':
      return [];
    case 'norm':
      return [
        { name: 'backward', items: [{ what: 'gradient by its output', bytes: local(operator.width) }, normSums(T)] },
      ];
    case 'activation': {
      const inputs = operator.activation === 'swiglu' ? 2 : 1;
      const bytes = inputs * local(operator.features);
      return [{ name: 'backward', items: [{ what: 'gradient by its inputs', bytes }] }];
    }
    case 'scores': {
      const attention = attentionCase(operator, graph, choice);
      const { queries, keysAndValues, tiles, state } = attentionBackwardSram(attention);
      const items = [
        { what: 'queries, output, and the gradients by them', bytes: queries },
        { what: 'keys, values and their gradients, one block here and one arriving', bytes: keysAndValues },
        { what: 'tiles of scores and of their gradients', bytes: tiles },
        { what: 'maxima, sums and deltas', bytes: state },
      ];
      return [{ name: 'backward', items }];
    }
    case 'linear': {
      const { input, output } = linearLayouts(operator, graph);
      const wide = { what: 'gradient by the output', bytes: vectors(localFeatures(output, C), choice) };
      const narrow = vectors(localFeatures(input, C), choice);
      const waiting = waitingGradient(node, graph, choice);
      const wgrad: BackwardPart = {
        name: 'wgrad',
        items: [wide, { what: 'input', bytes: narrow }, ...waiting, ...productItems(choice)],
      };
      return [
        {
          name: 'dgrad',
          items: [wide, { what: 'gradient by the input', bytes: narrow }, ...waiting, sums(operator.weight, choice)],
        },
        ...(isChanged(node, graph) ? [wgrad] : []),
      ];
    }
    case 'lmHead': {
      const slice = vectors(Math.ceil(choice.logitSlice / C), choice);
      const items = [
        { what: 'input', bytes: local(operator.width) },
        { what: 'gradient by the input, and that of a slice', bytes: 2 * local(operator.width) },
        { what: 'slice of logits, then of their gradients', bytes: slice },
        { what: 'targets, largest logits and sums', bytes: 2 * (FP16 + FP32) * T },
      ];
      return [
        { name: 'dgrad', items: [...items, sums('lmHead', choice)] },
        ...(isChanged(node, graph) ? [{ name: 'wgrad' as const, items: [...items, ...productItems(choice)] }] : []),
      ];
    }
  }
}

function isChanged(node: GraphNode, { training }: Graph): boolean {
  return training !== null && isTrained(node, training);
}

/** The gradient by the output of a matrix waits for its adapter, and that by the adapter's input for the matrix. */
function waitingGradient(node: GraphNode, graph: Graph, choice: MemoryChoice): MemoryItem[] {
  const beside = besideOf(node, graph);
  const sized = (what: string, layout: Layout): MemoryItem[] => [
    { what, bytes: vectors(localFeatures(layout, choice.columns), choice) },
  ];
  if (beside !== undefined && node.id.endsWith('.lora_A'))
    return sized('gradient by the output of the matrix beside it', linearLayouts(beside.operator, graph).output);
  const adapted = graph.nodes.find(({ id }) => id === `${node.id}.lora_A`);
  if (adapted?.operator.kind !== 'linear') return [];
  return sized('gradient by the input of its adapter', linearLayouts(adapted.operator, graph).input);
}

function normSums(tokens: number): MemoryItem {
  return { what: 'sums of the normalisation', bytes: 2 * FP32 * tokens };
}

function sums(name: Parameters<typeof accumulatorsOf>[1], choice: MemoryChoice): MemoryItem {
  const bytes = bytesOfSum(choice) * accumulatorsOf(choice.accumulators, name) * choice.tokensPerPe;
  return { what: 'accumulators', bytes };
}

function productItems(choice: MemoryChoice): MemoryItem[] {
  const { buffers, sums: room } = choice.gradients ?? { buffers: 0, sums: 0 };
  return [
    { what: 'gradients that went round', bytes: vectors(buffers, choice) },
    { what: 'sums of products', bytes: FP32 * room },
  ];
}
