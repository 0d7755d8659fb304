// A training step on a dense GPU: every node of the graph priced forward and backward, then the optimiser. As in model.ts
// zeros save nothing: the gradients of a sparse matrix are those of a dense one with a mask. Backward a matrix takes two
// products, attention the fused kernel that makes the scores again, the rest sweeps over what they read and write. Kernels
// are those of trainingStep.ts, whose published measurements are behind the factors kappa; that the batch may not fit the
// memory of the GPU, and what cutting it into micro-batches costs, is not counted.

import type { Graph, GraphNode } from '../../compiler/graph/graph.ts';
import { isTrained, type Trained } from '../../compiler/graph/trained.ts';
import type { GpuName } from '../../compiler/model/spec.ts';
import { BYTES, forwardPrice, type GpuResult, IN_ATTENTION, type Price, resultOf, sweeps } from './model.ts';
import { GPUS, type Gpu } from './presets.ts';
import { paddedVocabulary, steadySeconds } from './steady.ts';
import { BYTES_PER_LOGIT, BYTES_PER_PARAMETER } from './trainingStep.ts';

export interface GpuTraining {
  readonly trained: Pick<Trained, 'weights'>;
  /** Numbers that the optimiser changes. */
  readonly parameters: number;
  /** Of each layer only the input is kept, and its forward pass is run again on the way back. */
  readonly recompute: boolean;
}

export function gpuTrainingResult(graph: Graph, name: GpuName, training: GpuTraining): GpuResult {
  const gpu = GPUS[name];
  const priced = graph.nodes.map((node) => ({ name: node.id, price: stepPrice(node, graph, gpu, training) }));
  // Adam in mixed precision, fused.
  const optimiser = steadySeconds.elementwise(gpu, BYTES_PER_PARAMETER * training.parameters);
  return resultOf(graph, name, [...priced, { name: 'optimiser', price: optimiser }]);
}

/** Seconds of all kernels of a node in a step. */
function stepPrice(node: GraphNode, graph: Graph, gpu: Gpu, { trained, recompute }: GpuTraining): Price {
  const isChanged = isTrained(node, trained);
  const { operator } = node;
  if (operator.kind === 'lmHead') return headSeconds(operator, graph, gpu, isChanged);
  const forward = forwardPrice(operator, graph, gpu);
  if (typeof forward !== 'number') return forward;
  const times = recompute && isOfLayer(node) ? 2 : 1;
  const backward = backwardPrice(node, graph, gpu, isChanged);
  return typeof backward === 'number' ? times * forward + backward : backward;
}

function isOfLayer({ id }: GraphNode): boolean {
  return id.startsWith('h.');
}

function backwardPrice({ operator }: GraphNode, graph: Graph, gpu: Gpu, isChanged: boolean): Price {
  const { batch, sequence } = graph;
  const tokens = batch * sequence;
  const reduced = (arrays: number, features: number): number =>
    steadySeconds.elementwise(gpu, arrays * BYTES * tokens * features, 'norm');
  switch (operator.kind) {
    case 'embedding':
      // The gradient is read, the rows of the tables that it goes to are read and written.
      return isChanged ? sweeps(gpu, 3, tokens * operator.width) : 0;
    case 'norm':
      // Its input, the gradient in and out; then the input and the gradient again, for those of gain and bias.
      return reduced(3, operator.width) + (isChanged ? reduced(2, operator.width) : 0);
    case 'linear': {
      const { in: inputs, out, bias } = operator;
      const byInput = steadySeconds.gemm(gpu, tokens, inputs, out);
      const byWeight = isChanged ? steadySeconds.gemm(gpu, out, inputs, tokens) : 0;
      return byInput + byWeight + (isChanged && bias ? reduced(1, out) : 0);
    }
    case 'position':
      return operator.positions === 'rotary'
        ? sweeps(gpu, 2, tokens * (operator.heads + operator.kvHeads) * operator.headDim)
        : IN_ATTENTION;
    case 'scores': {
      const { heads, kvHeads, headDim } = operator;
      return steadySeconds.attentionBackward(gpu, { batch, sequence, heads, kvHeads, headDim });
    }
    case 'softmax':
    case 'values':
      return IN_ATTENTION;
    case 'activation':
      // Inputs and the gradient are read, gradients of the inputs written.
      return sweeps(gpu, operator.activation === 'swiglu' ? 5 : 3, tokens * operator.features);
    case 'residual':
      // The gradients of both ways add up.
      return sweeps(gpu, 3, tokens * operator.width);
    case 'lmHead':
      return headSeconds(operator, graph, gpu, isChanged);
  }
}

/** The products of the head, forward and back, and the loss. */
function headSeconds(
  { vocabulary, width }: { readonly vocabulary: number; readonly width: number },
  { batch, sequence }: Graph,
  gpu: Gpu,
  isChanged: boolean,
): number {
  const tokens = batch * sequence;
  const padded = paddedVocabulary(vocabulary);
  const forward = steadySeconds.lmHead(gpu, tokens, vocabulary, width);
  const byInput = steadySeconds.gemm(gpu, tokens, width, padded);
  const byWeight = isChanged ? steadySeconds.gemm(gpu, padded, width, tokens) : 0;
  return forward + byInput + byWeight + steadySeconds.elementwise(gpu, BYTES_PER_LOGIT * tokens * vocabulary);
}
