// Operators that only move memory: their time is their bytes. Two kinds, fitted apart: `stream` kernels touch each element
// by itself (GELU, residual, bias, dropout, optimiser), `norm` kernels reduce over rows (LayerNorm, softmax, gradients of
// biases). As PyTorch and NVIDIA's libraries have them; vLLM's RMSNorm reaches only 0.35 of the HBM peak and its
// SiluAndMul 0.5, which this does not model.

import { FITTED } from './architectures.ts';
import type { Gpu } from './presets.ts';

export type ElementwiseKind = 'stream' | 'norm';

/** Seconds of a kernel that moves so many bytes, each operand counted once. */
export function elementwiseSeconds(gpu: Gpu, bytes: number, kind: ElementwiseKind = 'stream'): number {
  const efficiency = kind === 'stream' ? FITTED.streamEfficiency : FITTED.normEfficiency;
  return FITTED.elementwiseLaunch + bytes / (gpu.hbmBandwidth * efficiency);
}

/** By operator: its kind, and how many arrays of the size of its output it reads and writes. */
export const OPERATORS = {
  stream: { kind: 'stream', arrays: 2 },
  norm: { kind: 'norm', arrays: 2 },
  copy: { kind: 'stream', arrays: 2 },
  scale: { kind: 'stream', arrays: 2 },
  bias: { kind: 'stream', arrays: 2 },
  gelu: { kind: 'stream', arrays: 2 },
  add: { kind: 'stream', arrays: 3 },
  residual: { kind: 'stream', arrays: 3 },
  /** A gated activation: two inputs. */
  glu: { kind: 'stream', arrays: 3 },
  layernorm: { kind: 'norm', arrays: 2 },
  rmsnorm: { kind: 'norm', arrays: 2 },
  softmax: { kind: 'norm', arrays: 2 },
} as const satisfies Record<string, { kind: ElementwiseKind; arrays: number }>;

export type OperatorName = keyof typeof OPERATORS;
