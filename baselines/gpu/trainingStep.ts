// One training step of a GPT with learned positions, tied embedding and an FFN of four times the width, on one GPU: the
// sum of its kernels, bf16, FlashAttention, no checkpointing, fused Adam in mixed precision. A measured step takes 1.05 to
// 1.3 times this (launches, host, data, communication): quote it at 1, generous to the GPU, and at 1.25.
// training.ts has the same by operator, for any graph; this is the form that published step times were compared with.
// Letters: T tokens, C width, V vocabulary; an array of T C 16-bit elements is one `activation`.

import { FITTED } from './architectures.ts';
import { attentionBackwardSeconds, attentionForwardSeconds } from './attention.ts';
import type { Gpu } from './presets.ts';
import { steadySeconds } from './steady.ts';

export interface GptShape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly sequence: number;
  readonly batch: number;
}

/** Activations a layer streams: GELU 2 forward and 3 backward, each 4 wide; four residual additions of 3. */
const STREAMED = (2 + 3) * 4 + 4 * 3;
/** Activations it reduces over: two LayerNorms, 2 forward and 3 backward each; gradients of biases and gains. */
const REDUCED = 2 * (2 + 3) + 13;
/** Bandwidth-bound kernels a layer launches, and the step beside the layers: cross-entropy and Adam. */
const KERNELS_PER_LAYER = 13;
const KERNELS_PER_STEP = 2;
/** Cross-entropy in eager fp32, forward and backward. */
export const BYTES_PER_LOGIT = 28;
/** Adam: 16-bit gradient and weight; fp32 weight and two moments, each read and written. */
export const BYTES_PER_PARAMETER = 28;

/** Seconds, as the sum of the kernels of forward, backward and optimiser. */
export function trainingStepSeconds(gpu: Gpu, shape: GptShape): number {
  const { width, layers, heads, vocabulary, sequence, batch } = shape;
  const tokens = batch * sequence;
  const linears: readonly (readonly [out: number, inputs: number])[] = [
    [3 * width, width],
    [width, width],
    [4 * width, width],
    [width, 4 * width],
  ];
  const products = linears.reduce(
    (sum, [out, inputs]) => sum + steadySeconds.linearTraining(gpu, tokens, out, inputs),
    0,
  );
  const perHead = { batch, sequence, heads, headDim: width / heads };
  const attention = attentionForwardSeconds(gpu, perHead) + attentionBackwardSeconds(gpu, perHead);
  const lmHead = steadySeconds.linearTraining(gpu, tokens, vocabulary, width);
  return layers * (products + attention) + lmHead + bandwidthBoundSeconds(gpu, shape);
}

function bandwidthBoundSeconds(gpu: Gpu, { width, layers, vocabulary, sequence, batch }: GptShape): number {
  const tokens = batch * sequence;
  const activation = 2 * tokens * width;
  const parameters = 12 * layers * width * width + vocabulary * width;
  const streamed =
    layers * STREAMED * activation + BYTES_PER_LOGIT * tokens * vocabulary + BYTES_PER_PARAMETER * parameters;
  const reduced = layers * REDUCED * activation;
  const launches = KERNELS_PER_LAYER * layers + KERNELS_PER_STEP;
  const { elementwiseLaunch, streamEfficiency, normEfficiency } = FITTED;
  return launches * elementwiseLaunch + (streamed / streamEfficiency + reduced / normEfficiency) / gpu.hbmBandwidth;
}
