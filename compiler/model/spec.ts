// A model, ready to be compiled: every default filled in, every rule checked, nothing optional. `null` in a mapping means
// that the mapper chooses.

import type { Accumulators } from '../../kernels/spmm/accumulators.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { MachineName } from '../../emulator/machine/presets/index.ts';
import type { GptPresetName } from './presets.ts';
import type { GptShape, MatmulShape } from './shape.ts';

export const sparseWeights = ['qkv', 'attentionOut', 'mlpIn', 'mlpOut'] as const;
export const accumulateTypes = ['fp16', 'fp32'] as const;
export const gpuNames = ['v100', 'a100-40gb', 'a100-80gb', 'h100', 'h200'] as const;

/** The matrices of a layer that may be sparse; `mlpIn` is both the gate and the input of a SwiGLU. */
export type SparseWeight = (typeof sparseWeights)[number];
export type Accumulate = (typeof accumulateTypes)[number];
export type GpuName = (typeof gpuNames)[number];

export const workloadKinds = ['prefill', 'train'] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

/** What of the forward pass is there for the gradients: all of it, or only the input of each layer, which is run again. */
export const recomputations = ['none', 'layer'] as const;
export type Recompute = (typeof recomputations)[number];

export interface Workload {
  /** One forward pass, or one training step: forward, backward, and gradients out. */
  readonly kind: WorkloadKind;
  /** Of a training step. */
  readonly recompute: Recompute;
  readonly batch: number;
  readonly sequence: number;
  /** `batch * sequence`. */
  readonly tokens: number;
}

/** Zeros drawn uniformly at random; `value` 0 is dense, 1 has no weight left. */
export interface Sparsity {
  readonly kind: 'uniform';
  readonly value: number;
  readonly seed: number;
}

export interface GptSparsity extends Sparsity {
  /** Those that are sparse, in the order of `sparseWeights`; embeddings and head stay dense. */
  readonly weights: readonly SparseWeight[];
}

/** What the user fixes of a mapping; `null` is for the mapper to choose. */
export interface MappingRequest {
  readonly columns: number | null;
  /** At most so many; a small batch has work for fewer. */
  readonly groups: number | null;
  readonly tokensPerPe: number | null;
  /** Of all matmuls, or of those that are named. */
  readonly accumulators: Accumulators | null;
  /** At most so many. */
  readonly rows: number | null;
  readonly accumulate: Accumulate;
  readonly causal: boolean;
  /** Of a training step: gradients on their way, sums of products. */
  readonly gradients?: { readonly buffers?: number | undefined; readonly sums?: number | undefined };
}

/** A machine and where its numbers come from. */
export interface MachineChoice {
  readonly machine: Machine;
  /** The preset that it starts from, and the machine file, if any. */
  readonly preset: MachineName | null;
  readonly file: string | null;
  /** Paths of the constants that differ in origin from the preset, e.g. `core.simdFp16`; empty without a preset. */
  readonly overridden: readonly string[];
  /** By path, for every constant but the name: who says so. */
  readonly sources: Readonly<Record<string, string>>;
}

interface Common {
  /** What reports call the model. */
  readonly name: string;
  /** The model file as given, and the flags that changed it. */
  readonly origin: { readonly file: string | null; readonly flags: readonly string[] };
  readonly workload: Workload;
  readonly machine: MachineChoice;
  readonly gpu: GpuName;
  readonly mapping: MappingRequest;
}

export interface GptSpec extends Common {
  readonly kind: 'gpt';
  readonly preset: GptPresetName | null;
  readonly shape: GptShape;
  readonly sparsity: GptSparsity;
}

export interface MatmulSpec extends Common {
  readonly kind: 'matmul';
  readonly shape: MatmulShape;
  readonly sparsity: Sparsity;
}

export type ModelSpec = GptSpec | MatmulSpec;
