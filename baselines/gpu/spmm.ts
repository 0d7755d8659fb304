// A matrix product with unstructured sparse weights: C[m,n] = A[m,k] W[n,k]^T, W with a share of zeros, letters as in
// gemm.ts. Two published kernels, their constants fitted to Flash-LLM's figures (arXiv 2309.10285, A100, 8 to 32 tokens;
// validation/gpu-unstructured-flashllm.json). Above 32 tokens the model extrapolates. Break-even with dense cuBLAS at
// 12288^2 by this model: A100 55 % of zeros at 8 tokens, 91 % at 128, 94 % from 256 on. In training the weight gradient
// becomes a sampled dense product, slower still, so there no gain should be claimed below 95 %.

import { FITTED } from './architectures.ts';
import { gemmSeconds } from './gemm.ts';
import { overlapped } from './overlap.ts';
import { GPUS, type Gpu } from './presets.ts';
import { smPeak, tensorShare } from './tensorRate.ts';

export interface SpmmShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Share of W that is zero. */
  readonly sparsity: number;
}

/** Bytes that a non-zero takes in Flash-LLM's format: value and place. */
const BYTES_PER_NON_ZERO = 4;
/** Tokens one pass over the weights serves. */
const TOKENS_PER_PASS = 64;
/** Share of the dense tensor rate that Flash-LLM's main loop reaches. */
const LSCD_RATE = 0.6;
/** Its memory and compute overlap less well than those of a dense GEMM. */
const LSCD_OVERLAP = 1.5;

/** Seconds of Flash-LLM: weights are loaded sparse, unpacked into dense tiles in shared memory, computed dense. */
export function lscdSeconds(gpu: Gpu, { m, n, k, sparsity }: SpmmShape, bytes = 2): number {
  const { launch, hbmEfficiency } = gpu.architecture;
  const traffic = BYTES_PER_NON_ZERO * n * k * (1 - sparsity) + bytes * m * (k + n);
  const memory = traffic / (gpu.hbmBandwidth * hbmEfficiency);
  const unpack = (n * k * Math.ceil(m / TOKENS_PER_PASS)) / (gpu.sms * gpu.clockHz * FITTED.unpackRate);
  const multiply = (2 * m * n * k) / (gpu.sms * smPeak(gpu) * tensorShare(gpu, 0) * LSCD_RATE);
  return launch + overlapped(memory, Math.max(unpack, multiply), LSCD_OVERLAP);
}

/** Seconds of Sputnik (CSR on CUDA cores), measured on an A100 and scaled by SMs and clock. */
export function sputnikSeconds(gpu: Gpu, { m, n, k, sparsity }: SpmmShape): number {
  const measuredOn = GPUS['a100-80gb'];
  const scale = (measuredOn.sms * measuredOn.clockHz) / (gpu.sms * gpu.clockHz);
  const perNonZero = FITTED.sputnikNonZero + FITTED.sputnikToken * m;
  return gpu.architecture.launch + n * k * (1 - sparsity) * perNonZero * scale;
}

/** Seconds of what an engineer would choose: the fastest of dense, Flash-LLM and Sputnik. */
export function bestSpmmSeconds(gpu: Gpu, shape: SpmmShape): number {
  return Math.min(gemmSeconds(gpu, shape), lscdSeconds(gpu, shape), sputnikSeconds(gpu, shape));
}
