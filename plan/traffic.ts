// What passes the edge of one system in a training step. The edge is one link for both ways, and systems that share a batch
// share nothing of it: each gets all weights from the broadcast and gives all gradients to the reduction.
//   in   the weights, once a pass for the forward product and once for the gradients by activation, and once more where
//        layers are recomputed: one wavelet for each that is not zero, value and index; two dense ones in a wavelet.
//        The gradients by weight need the indices of what is not zero, two in a wavelet. Those of the LM head come three
//        times: logits are too many to be kept.
//   out  gradients of every weight, bias and gain that is trained, in fp32; once for each group of columns: groups are
//        added outside
//   both the rows of the embedding of each token, fp16, and the gradients of those rows

import type { GraphNode } from '../compiler/graph/graph.ts';
import { isTrained } from '../compiler/graph/trained.ts';
import { isRunAgain } from '../compiler/lower/backward.ts';
import type { StepTime, TrainingStep } from './step.ts';

const WAVELET = 32;
const HALF = 16;

export interface EdgeTraffic {
  readonly bitsIn: number;
  readonly bitsOut: number;
}

export function edgeTraffic(step: TrainingStep, { passes, groups }: Pick<StepTime, 'passes' | 'groups'>): EdgeTraffic {
  let bitsIn = 0;
  let bitsOut = 0;
  for (const node of step.graph.nodes) {
    const bits = nodeTraffic(node, step);
    // Rows of tokens pass once, whatever the mapping; weights come in once for all groups.
    const isOfTokens = node.operator.kind === 'embedding';
    bitsIn += (isOfTokens ? 1 : passes) * bits.bitsIn;
    bitsOut += (isOfTokens ? 1 : passes * groups) * bits.bitsOut;
  }
  return { bitsIn, bitsOut };
}

function nodeTraffic(node: GraphNode, { graph, trained, recompute }: TrainingStep): EdgeTraffic {
  const { operator } = node;
  const isChanged = isTrained(node, trained);
  const streams = recompute === 'layer' && isRunAgain(node) ? 3 : 2;
  switch (operator.kind) {
    case 'linear': {
      const all = operator.in * operator.out;
      const kept = (1 - operator.sparsity) * all;
      const isDense = operator.sparsity === 0;
      const changed = isChanged ? (trained.denseGradients ? all : kept) : 0;
      const indices = isDense || trained.denseGradients ? 0 : HALF * changed;
      const biases = operator.bias ? operator.out : 0;
      return {
        bitsIn: streams * kept * (isDense ? HALF : WAVELET) + indices + (streams - 1) * WAVELET * biases,
        bitsOut: WAVELET * changed + (isChanged ? WAVELET * biases : 0),
      };
    }
    case 'lmHead': {
      const all = operator.width * operator.vocabulary;
      return { bitsIn: 3 * HALF * all, bitsOut: isChanged ? WAVELET * all : 0 };
    }
    case 'norm': {
      const numbers = operator.width * (operator.bias ? 2 : 1);
      return { bitsIn: (streams - 1) * WAVELET * numbers, bitsOut: isChanged ? WAVELET * numbers : 0 };
    }
    case 'embedding': {
      const rows = HALF * graph.batch * graph.sequence * operator.width;
      return { bitsIn: rows, bitsOut: isChanged ? rows : 0 };
    }
    case 'position':
    case 'scores':
    case 'softmax':
    case 'values':
    case 'activation':
    case 'residual':
      return { bitsIn: 0, bitsOut: 0 };
  }
}
