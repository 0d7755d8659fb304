// The times that a whole model is priced with, in one table: each operator on a GPU that has been training or serving for
// long, 16-bit elements. What a model needs and this lacks has no price, so it must not be left out silently.

import { attentionBackwardSeconds, attentionDecodeSeconds, attentionForwardSeconds } from './attention.ts';
import { elementwiseSeconds, type ElementwiseKind } from './elementwise.ts';
import { gemmSeconds } from './gemm.ts';
import type { AttentionShape } from './attention.ts';
import type { Gpu } from './presets.ts';

/** The vocabulary is padded to a multiple of this, as GPU users do (nanoGPT: 50257 to 50304); unpadded is far slower. */
const VOCABULARY_STEP = 64;

export function paddedVocabulary(vocabulary: number): number {
  return VOCABULARY_STEP * Math.ceil(vocabulary / VOCABULARY_STEP);
}

export const steadySeconds = {
  /** y [tokens, out] = x [tokens, in] W^T. */
  gemm: (gpu: Gpu, tokens: number, out: number, inputs: number, batch = 1): number =>
    gemmSeconds(gpu, { m: tokens, n: out, k: inputs, batch }),
  /** A linear layer in training: the forward product, dX and dW. */
  linearTraining: (gpu: Gpu, tokens: number, out: number, inputs: number): number =>
    gemmSeconds(gpu, { m: tokens, n: out, k: inputs }) +
    gemmSeconds(gpu, { m: tokens, n: inputs, k: out }) +
    gemmSeconds(gpu, { m: out, n: inputs, k: tokens }),
  attention: (gpu: Gpu, shape: AttentionShape, causal = true): number =>
    attentionForwardSeconds(gpu, shape, { causal }),
  attentionBackward: (gpu: Gpu, shape: AttentionShape, causal = true): number =>
    attentionBackwardSeconds(gpu, shape, { causal }),
  attentionDecode: (gpu: Gpu, shape: AttentionShape): number => attentionDecodeSeconds(gpu, shape),
  elementwise: (gpu: Gpu, bytes: number, kind: ElementwiseKind = 'stream'): number =>
    elementwiseSeconds(gpu, bytes, kind),
  /** Logits [tokens, vocabulary] of x [tokens, width], the vocabulary padded. */
  lmHead: (gpu: Gpu, tokens: number, vocabulary: number, width: number): number =>
    gemmSeconds(gpu, { m: tokens, n: paddedVocabulary(vocabulary), k: width }),
} as const;
