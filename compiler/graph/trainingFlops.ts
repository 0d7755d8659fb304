// FLOPs of a training step, counted as Thangarasa et al. count them ("SPDF", UAI 2023, supplement; validation/spdf.json): a
// multiply-add is two; attention is full, not causal; a score costs three for its softmax; the LM head is dense; norms,
// activations, embeddings, biases and the optimiser count nothing. The backward pass is twice the forward pass: once for
// the gradients of what an operator read and once for those of its weights, or of its second operand where it has no
// weights. For a GPT of L layers, d features, h heads, s tokens, V words and sparsity S a sequence takes
//   3 (2 (1 - S) 12 L d^2 s  +  2 V d s  +  4 L s^2 d  +  3 L h s^2).

import type { Graph, GraphNode } from './graph.ts';
import { isTrained, type Trained } from './trained.ts';

export interface TrainingFlops {
  readonly forward: number;
  /** By activations: of everything, since gradients have to come down to the first layer. */
  readonly activationGradients: number;
  readonly weightGradients: number;
  readonly total: number;
}

const PER_MULTIPLY_ADD = 2;
const PER_SCORE = 3;

/** Of one step of the batch and sequence of the graph. */
export function trainingFlops(graph: Graph, trained: Trained): TrainingFlops {
  let forward = 0;
  let activationGradients = 0;
  let weightGradients = 0;
  for (const node of graph.nodes) {
    const flops = nodeFlops(node, graph, trained);
    forward += flops.forward;
    activationGradients += flops.activationGradients;
    weightGradients += flops.weightGradients;
  }
  return { forward, activationGradients, weightGradients, total: forward + activationGradients + weightGradients };
}

function nodeFlops(node: GraphNode, graph: Graph, trained: Trained): Omit<TrainingFlops, 'total'> {
  const { operator } = node;
  const tokens = graph.batch * graph.sequence;
  switch (operator.kind) {
    case 'linear': {
      const dense = PER_MULTIPLY_ADD * operator.in * operator.out * tokens;
      const kept = (1 - operator.sparsity) * dense;
      return ofMatrix(kept, isTrained(node, trained), trained.denseGradients ? dense : kept);
    }
    case 'lmHead': {
      const dense = PER_MULTIPLY_ADD * operator.width * operator.vocabulary * tokens;
      return ofMatrix(dense, isTrained(node, trained), dense);
    }
    case 'scores':
    case 'values':
      return withoutWeights(PER_MULTIPLY_ADD * operator.heads * operator.headDim * graph.sequence * tokens);
    case 'softmax':
      return withoutWeights(PER_SCORE * operator.heads * graph.sequence * tokens);
    case 'embedding':
    case 'norm':
    case 'position':
    case 'activation':
    case 'residual':
      return withoutWeights(0);
  }
}

function ofMatrix(forward: number, isChanged: boolean, weightGradients: number): Omit<TrainingFlops, 'total'> {
  return { forward, activationGradients: forward, weightGradients: isChanged ? weightGradients : 0 };
}

function withoutWeights(forward: number): Omit<TrainingFlops, 'total'> {
  return { forward, activationGradients: 2 * forward, weightGradients: 0 };
}
