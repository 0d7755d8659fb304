// Attention kernels: FlashAttention forward and backward (version 2 on Ampere, 3 on Hopper), decode of one token against
// a KV cache, and the unfused form that writes the scores out. Letters: batch B, sequence S, query heads H, key/value
// heads G, head dim D. The 2023 FlashAttention-2 reaches only 0.375 of Hopper's peak; it is not what is modelled.

import { elementwiseSeconds } from './elementwise.ts';
import { gemmSeconds } from './gemm.ts';
import { overlapped } from './overlap.ts';
import type { Gpu } from './presets.ts';
import { smPeak } from './tensorRate.ts';

export interface AttentionShape {
  /** B */
  readonly batch: number;
  /** S; for decode the tokens in the cache. */
  readonly sequence: number;
  /** H */
  readonly heads: number;
  /** G; H if left out. */
  readonly kvHeads?: number;
  /** D */
  readonly headDim: number;
}

export interface AttentionOptions {
  /** A token sees only those before it. */
  readonly causal?: boolean;
  /** Bytes an element. */
  readonly bytes?: number;
}

/** Query rows a block of a FlashAttention kernel has. */
const QUERY_BLOCK = 128;
/** The backward pass recomputes the scores: five products for the two of the forward pass. */
const BACKWARD_WORK = 2.5;

/** Seconds of the fused forward kernel: Q [B,S,H,D], K and V [B,S,G,D] to O [B,S,H,D]. */
export function attentionForwardSeconds(gpu: Gpu, shape: AttentionShape, options: AttentionOptions = {}): number {
  return flashSeconds(gpu, shape, options, 1, 1);
}

/** Seconds of the fused backward kernel: dO to dQ, dK, dV. */
export function attentionBackwardSeconds(gpu: Gpu, shape: AttentionShape, options: AttentionOptions = {}): number {
  return flashSeconds(gpu, shape, options, BACKWARD_WORK, gpu.architecture.attentionBackward);
}

function flashSeconds(
  gpu: Gpu,
  { batch, sequence, heads, kvHeads = heads, headDim }: AttentionShape,
  { causal = true, bytes = 2 }: AttentionOptions,
  work: number,
  efficiency: number,
): number {
  const { architecture, sms } = gpu;
  const keys = causal ? (sequence + QUERY_BLOCK) / 2 : sequence;
  // The longest query block bounds the kernel when there are few of them.
  const flops = Math.max((4 * batch * heads * sequence * keys * headDim) / sms, 4 * QUERY_BLOCK * sequence * headDim);
  const reached = architecture.attentionEfficiency * (headDim === 64 ? architecture.attentionHead64 : 1) * efficiency;
  const waves = Math.ceil((batch * heads * Math.ceil(sequence / QUERY_BLOCK)) / sms);
  const compute = (flops * work) / (smPeak(gpu) * reached) + waves * architecture.attentionBlock;
  const traffic = work * bytes * 2 * batch * (heads + kvHeads) * sequence * headDim;
  return architecture.launch + overlapped(compute, traffic / (gpu.hbmBandwidth * architecture.hbmEfficiency));
}

/** Seconds of one new token a sequence against a cache of S tokens: Q and O [B,1,H,D], K and V [B,S,G,D]. */
export function attentionDecodeSeconds(
  gpu: Gpu,
  { batch, sequence, heads, kvHeads = heads, headDim }: AttentionShape,
  { bytes = 2 }: AttentionOptions = {},
): number {
  const { decodeFixed, decodeWave, decodeHbmEfficiency } = gpu.architecture;
  const traffic = bytes * 2 * batch * headDim * (kvHeads * sequence + heads);
  const waves = Math.ceil((batch * kvHeads) / gpu.sms);
  return decodeFixed + waves * decodeWave + traffic / (gpu.hbmBandwidth * decodeHbmEfficiency);
}

/**
 * Seconds of the forward pass as separate kernels: QK^T, scale, mask, softmax, PV. The scores [B,H,S,S] are written and
 * read by each; masking saves nothing. A sketch: it errs by 13 % (A100) to 28 % (H100) in the median.
 */
export function attentionUnfusedSeconds(
  gpu: Gpu,
  { batch, sequence, heads, headDim }: AttentionShape,
  { bytes = 2 }: AttentionOptions = {},
): number {
  const products = { batch: batch * heads };
  const scores = gemmSeconds(gpu, { ...products, m: sequence, n: sequence, k: headDim }, { bytes });
  const values = gemmSeconds(gpu, { ...products, m: sequence, n: headDim, k: sequence }, { bytes });
  const sweep = 2 * bytes * batch * heads * sequence * sequence;
  const scaleAndMask = 2 * elementwiseSeconds(gpu, sweep, 'stream');
  return scores + values + scaleAndMask + elementwiseSeconds(gpu, sweep, 'norm');
}
