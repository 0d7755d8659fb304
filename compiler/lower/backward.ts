// The backward pass of a training step: the operators of the graph in reverse, each as the kernels of its gradients, and before
// those of a layer, where only its input was kept, the layer run again. A gradient by activations is the matmul with the
// transposed mask (dgrad), one by weights the products of its inputs and the gradients of its outputs (wgrad).

import { internalError } from '../../emulator/errors.ts';
import { attentionBackwardSteps, type AttentionPart } from '../../kernels/attention/backwardSteps.ts';
import { layoutOf } from '../../kernels/attention/steps.ts';
import {
  activationBackward,
  type BackwardStep,
  biasBackward,
  embeddingBackward,
  lossBackward,
  lossStart,
  normBackward,
  residualBackward,
  type WaferExtent,
} from '../../kernels/backwardSteps.ts';
import { streamGap } from '../../kernels/edge.ts';
import { elementwise } from '../../kernels/elementwise.ts';
import type { MatmulName } from '../../kernels/spmm/accumulators.ts';
import { localFeatures } from '../../kernels/spmm/layout.ts';
import { isDense, type Mask } from '../../kernels/spmm/mask.ts';
import type { PlacedWeights } from '../../kernels/spmm/placed.ts';
import { indexGap } from '../../kernels/weightGradient/shape.ts';
import { besideOf } from '../graph/adapters.ts';
import type { GraphNode, Training } from '../graph/graph.ts';
import { isTrained } from '../graph/trained.ts';
import { chunkFeatures } from '../mapping/gradients.ts';
import { attentionCase, linearLayouts } from '../mapping/layouts.ts';
import { rotaryFeatures } from '../mapping/memory.ts';
import type { ProgramOperator, ProgramStep, WeightGradientStep } from './program.ts';
import {
  addition,
  affineStep,
  copiesOf,
  DENSE,
  headSlices,
  type LowerContext,
  matmul,
  once,
  ONE_PE,
  type OperatorOf,
  placedWeights,
  stepsOf,
} from './steps.ts';

interface TrainingContext extends LowerContext {
  readonly training: Training;
  readonly extent: WaferExtent;
}

/** Of a graph that has no training, nothing. */
export function backwardOperators(context: LowerContext): ProgramOperator[] {
  const { graph, mapping } = context;
  const { training } = graph;
  if (training === null) return [];
  const { groups, columns, rows, rowsPerSequence, tokensPerPe: tokens } = mapping;
  const within = { ...context, training, extent: { groups, columns, rows, rowsPerSequence, tokens } };
  const operators: ProgramOperator[] = [];
  for (const nodes of layersOf(graph.nodes).toReversed()) {
    if (training.recompute === 'layer' && isLayer(nodes[0]))
      for (const node of nodes) if (isRunAgain(node)) operators.push(again(node, context));
    for (const node of nodes.toReversed()) operators.push(...gradientsOf(node, within));
  }
  return operators.filter(({ steps }) => steps.length > 0);
}

/** Nodes that follow each other and belong to the same layer; those outside all layers by themselves. */
function layersOf(nodes: readonly GraphNode[]): GraphNode[][] {
  const layers: GraphNode[][] = [];
  let before: string | undefined;
  for (const node of nodes) {
    const layer = layerOf(node);
    if (layer !== undefined && layer === before) layers[layers.length - 1].push(node);
    else layers.push([node]);
    before = layer;
  }
  return layers;
}

function layerOf({ id }: GraphNode): string | undefined {
  return /^h\.(\d+)\./.exec(id)?.[1];
}

function isLayer(node: GraphNode): boolean {
  return layerOf(node) !== undefined;
}

/** Where only inputs of layers are kept: what a gradient of its layer reads, and not what only makes the layer's output. */
export function isRunAgain({ id }: Pick<GraphNode, 'id'>): boolean {
  return id.startsWith('h.') && !/\.mlp\.(c_proj(\.lora(_[AB])?)?|residual)$/.test(id);
}

function again(node: GraphNode, context: LowerContext): ProgramOperator {
  return { name: `${node.id}.recompute`, kind: node.operator.kind, steps: stepsOf(node, context) };
}

function gradientsOf(node: GraphNode, context: TrainingContext): ProgramOperator[] {
  const { operator } = node;
  const { machine, extent, training } = context;
  const named = (part: string, steps: readonly ProgramStep[]): ProgramOperator => ({
    name: `${node.id}.${part}`,
    kind: operator.kind,
    steps,
  });
  const backward = (steps: readonly BackwardStep[]): ProgramOperator[] => [named('backward', placed(steps, context))];
  const trainsAll = training.weights === 'all';
  switch (operator.kind) {
    case 'embedding': {
      const { width, positions } = operator;
      return trainsAll
        ? backward(embeddingBackward({ width, learnedPositions: positions === 'learned' }, machine, extent))
        : [];
    }
    case 'norm': {
      const steps = normBackward({ width: operator.width, kind: operator.norm, bias: operator.bias }, machine, extent);
      // The sums over tokens are those of gain and bias.
      return backward(
        trainsAll ? steps : steps.filter(({ shape }) => shape.kernel !== 'columnReduce' && shape.kernel !== 'local'),
      );
    }
    case 'activation':
      return backward(activationBackward(operator.activation, operator.features, machine, extent));
    case 'residual':
      return [named('backward', [gradientSum(node, operator.width, context)])];
    case 'linear':
      return [
        ...(isTrained(node, training) ? [named('wgrad', weightSteps(node, operator, context))] : []),
        named('dgrad', [activationGradient(operator.weight, placedWeights(node.id, operator, context), 1, context)]),
      ];
    case 'lmHead':
      return [named('backward', headSteps(operator, context))];
    case 'values':
      return attentionOperators(node, operator, context);
    case 'position':
    case 'scores':
    case 'softmax':
      // With those of the values, whose kernels theirs take turns with.
      return [];
  }
}

function placed(steps: readonly BackwardStep[], { mapping }: TrainingContext): ProgramStep[] {
  const copies = copiesOf(mapping);
  return steps.map(({ shape, copies: of }) => once(shape, copies[of]));
}

/** Where an activation is read twice its gradients add up: in the stream, or before a matrix that has an adapter. */
function gradientSum(node: GraphNode, width: number, context: TrainingContext): ProgramStep {
  const { graph, mapping } = context;
  const beside = besideOf(node, graph);
  const layout =
    beside === undefined
      ? ({ kind: 'strided', features: width } as const)
      : linearLayouts(beside.operator, graph).input;
  return addition(localFeatures(layout, mapping.columns), context);
}

/** The matmul with the transposed mask, whose inputs lie where the outputs of the forward matmul do. */
function activationGradient(
  name: MatmulName,
  { mask, input, output }: PlacedWeights,
  repeat: number,
  context: TrainingContext,
): ProgramStep {
  const weights = { mask, transposed: true, input: output, output: input } as const;
  return { shape: matmul(name, weights, context), repeat, copies: context.mapping.groups };
}

function weightSteps({ id }: GraphNode, operator: OperatorOf<'linear'>, context: TrainingContext): ProgramStep[] {
  const { machine, extent, mapping, training } = context;
  const weights = placedWeights(id, operator, context);
  const taken = training.denseGradients ? withoutZeros(weights.mask) : weights.mask;
  const steps = [...inputAgain(id, operator, context), weightGradient({ ...weights, mask: taken }, 1, context)];
  if (operator.bias)
    steps.push(...placed(biasBackward(localFeatures(weights.output, mapping.columns), machine, extent), context));
  return steps;
}

function withoutZeros({ rows, width }: Mask): Mask {
  return { ...DENSE, sparsity: 0, rows, width };
}

/** Outputs of norms and activations are not kept: they are made again from what is. */
function inputAgain(id: string, operator: OperatorOf<'linear'>, context: TrainingContext): ProgramStep[] {
  const { graph, machine, mapping } = context;
  const node = graph.nodes.find((one) => one.id === id);
  const source = graph.nodes.find((one) => one.id === node?.inputs[0])?.operator;
  if (source?.kind === 'norm') return [affineStep(Math.ceil(operator.in / mapping.columns), context)];
  if (source?.kind !== 'activation') return [];
  const extent = { ...ONE_PE, features: Math.ceil(source.features / mapping.columns), tokens: mapping.tokensPerPe };
  return [once(elementwise(source.activation, extent, machine), copiesOf(mapping).pe)];
}

/**
 * Sums over all tokens of a batch do not go in fp16: beyond some thousand terms each new one is rounded away. Products of
 * fp16 are added in fp32, as mixed precision does everywhere (Micikevicius et al. 2018).
 */
const GRADIENT_SUMS = 'fp32';

function weightGradient(weights: PlacedWeights, repeat: number, { machine, mapping }: TrainingContext): ProgramStep {
  const { columns: cols, rows, groups, tokensPerPe: tokens, gradients } = mapping;
  if (gradients === undefined) throw internalError('a training step without room for gradients');
  const { buffers, sums } = gradients;
  const shape: WeightGradientStep = {
    kernel: 'weightGradient',
    weights,
    cols,
    rows,
    tokens,
    buffers,
    sums,
    features: chunkFeatures(weights, cols, sums),
    gap: indexGap(machine, cols, isDense(weights.mask)),
    // Groups are added outside.
    outGap: streamGap(machine, groups * cols),
    accumulate: GRADIENT_SUMS,
  };
  return { shape, repeat, copies: groups };
}

/** Slice by slice: its logits again, their gradients, and those of its matmul; the input's add up over the slices. */
function headSteps(operator: OperatorOf<'lmHead'>, context: TrainingContext): ProgramStep[] {
  const { machine, mapping, extent, training } = context;
  const steps = placed(lossStart(machine, extent), context);
  for (const { out, repeat, weights } of headSlices(operator, mapping)) {
    const repeated = (of: readonly BackwardStep[]): ProgramStep[] =>
      placed(of, context).map((step) => ({ ...step, repeat }));
    steps.push({ shape: matmul('lmHead', weights, context), repeat, copies: mapping.groups });
    steps.push(...repeated(lossBackward(out, extent)));
    if (training.weights === 'all') steps.push(weightGradient(weights, repeat, context));
    steps.push(activationGradient('lmHead', weights, repeat, context));
    steps.push(...repeated(residualBackward(operator.width, machine, extent)));
  }
  return steps;
}

const PARTS = ['values', 'softmax', 'scores', 'position'] as const satisfies readonly AttentionPart[];

/** One operator for each part of the attention, though their kernels alternate. */
function attentionOperators(
  { id }: GraphNode,
  operator: OperatorOf<'values'>,
  context: TrainingContext,
): ProgramOperator[] {
  const { graph, machine, mapping } = context;
  const attention = attentionCase(operator, graph, mapping);
  const { groups, headCols } = layoutOf(attention);
  const copies = copiesOf(mapping);
  const ofRow = copies.row * groups;
  const ofRing = (copies.group * groups * headCols * mapping.rows) / mapping.rowsPerSequence;
  const steps = attentionBackwardSteps(attention, machine);
  const operators = PARTS.map((part) => ({
    name: id.replace(/values$/, `${part}.backward`),
    kind: part,
    steps: steps
      .filter((step) => step.part === part)
      .map(
        ({ shape, repeat }): ProgramStep => ({ shape, repeat, copies: shape.kernel === 'ringShift' ? ofRing : ofRow }),
      ),
  }));
  operators[operators.length - 1].steps.push(...turnedBack(context));
  return operators;
}

/** Queries and keys were turned before all else: back again, where the columns of a head are. */
function turnedBack({ graph, machine, mapping }: TrainingContext): ProgramStep[] {
  const position = graph.nodes.find(({ operator }) => operator.kind === 'position')?.operator;
  if (position?.kind !== 'position' || position.positions !== 'rotary') return [];
  const { groups, headCols: cols, headsPerColumn } = layoutOf(attentionCase(position, graph, mapping));
  const features = 2 * headsPerColumn * rotaryFeatures(position, graph, mapping);
  const extent = { rows: 1, cols, features, tokens: mapping.tokensPerPe };
  return [once(elementwise('rotaryBackward', extent, machine), copiesOf(mapping).row * groups)];
}
