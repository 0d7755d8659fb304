// What each kernel does, in a line.

import type { KernelName } from '../../kernels/index.ts';

export const KERNELS_DESCRIBED: Readonly<Record<KernelName | 'weightGradient', string>> = {
  affine: 'a scale and a shift for each feature',
  attentionDelta: 'gradient of attention: the mean that the gradient of a softmax takes off',
  attentionGather: 'probabilities of a tile go to all columns of their head',
  attentionGatherBoth: 'gradient of attention: probabilities and their gradients go to all columns of their head',
  attentionGradients: 'gradient of attention: what a tile adds to those by queries, keys and values',
  attentionNormalise: 'the end of attention: output over the sums of exponentials',
  attentionScores: 'queries times keys of a tile, added up over the columns of a head',
  attentionSoftmax: 'softmax of a tile, key block by key block',
  attentionSoftmaxBackward: 'gradient of the softmax of a tile',
  attentionValues: 'probabilities times values of a tile',
  broadcast: 'one column of a row sends to all others',
  chainReduce: 'sums over a row of PEs by a chain',
  columnReduce: 'sums over the rows, which leave the wafer at the south edge',
  layerNorm: 'LayerNorm or RMSNorm, without gain and bias',
  layerNormBackward: 'gradient of LayerNorm and RMSNorm by their input',
  local: 'work of a PE on its own memory: activations, residuals, rotary positions, their gradients',
  logitGradient: 'gradient of the loss by the logits of a slice of the vocabulary',
  logitMerge: 'the end of the LM head: largest logit and sum of exponentials over all columns',
  logitScale: 'the beginning of the gradient of the loss: one over the sum of exponentials',
  logitStats: 'after a slice of the LM head: largest logit and sum of exponentials so far',
  ringShift: 'a block of each PE goes to the next position of its ring',
  rowStream: 'rows of a table for the tokens of the batch: embeddings, positions',
  spmm: 'sparse matrix multiply; gradients by activations are it too, with the transposed matrix',
  weightGradient: 'gradient by the weights that are not zero: the products of a chunk of output features',
};
