// What the GPUs of one generation have in common: how much of the data sheet a kernel reaches, and what it costs to start
// one. Fitted to kernel times measured with random operands: GEMM and attention tables of ai-dynamo/aiconfigurator
// (A100 and H100, half of the shapes), elementwise operators of sitar-lab/NeuSight, sparse matmuls of Flash-LLM
// (arXiv 2309.10285). "By hand" marks the few that were set and not fitted. No H200 table was used: it takes Hopper's
// constants as they are. Volta takes Ampere's and has not been fitted either. validation/ holds samples of the tables.

export interface Architecture {
  /** Share of the tensor peak reached at the burst clock. */
  readonly tensorEfficiency: number;
  /** Share of that lost to the power limiter in steady operation on random data. */
  readonly throttle: number;
  /** Share of the HBM peak reached inside a GEMM. */
  readonly hbmEfficiency: number;
  /** Bytes/s of operands from L2 into one SM. */
  readonly l2Fill: number;
  /** Share of the write of C that no main loop hides. */
  readonly storeExposed: number;
  /** Seconds to launch, fill and drain a kernel. */
  readonly launch: number;
  /** Share of the tensor peak reached by FlashAttention (2 on Ampere, 3 on Hopper), and the factor on it at head dim 64. */
  readonly attentionEfficiency: number;
  readonly attentionHead64: number;
  /** Seconds of each wave of query blocks. */
  readonly attentionBlock: number;
  /** Efficiency of the backward pass over that of the forward. Hopper: by hand, from one point measured on an H200. */
  readonly attentionBackward: number;
  /** Decode attention: share of the HBM peak, fixed seconds, seconds a wave of (sequence, kv head). */
  readonly decodeHbmEfficiency: number;
  readonly decodeFixed: number;
  readonly decodeWave: number;
  /** Tensor rate of 2:4 weights over that of dense ones. By hand: see sparse24.ts. */
  readonly sparse24Rate: number;
}

const ampere: Architecture = {
  tensorEfficiency: 0.93,
  throttle: 0.1192,
  hbmEfficiency: 0.75,
  l2Fill: 36.98e9,
  storeExposed: 1,
  launch: 3.305e-6,
  attentionEfficiency: 0.67,
  attentionHead64: 0.9098,
  attentionBlock: 3.68e-6,
  attentionBackward: 0.8597,
  decodeHbmEfficiency: 0.7128,
  decodeFixed: 18.23e-6,
  decodeWave: 0.2897e-6,
  sparse24Rate: 1.6,
};

const hopper: Architecture = {
  tensorEfficiency: 0.92,
  throttle: 0.2096,
  hbmEfficiency: 0.834,
  l2Fill: 138.9e9,
  storeExposed: 0.6655,
  launch: 2.746e-6,
  attentionEfficiency: 0.76,
  attentionHead64: 0.77,
  attentionBlock: 5e-6,
  attentionBackward: 0.65,
  decodeHbmEfficiency: 0.911,
  decodeFixed: 9.938e-6,
  decodeWave: 2.102e-6,
  sparse24Rate: 1.25,
};

// No 2:4 tensor cores: such weights only take less memory.
const volta: Architecture = { ...ampere, sparse24Rate: 1 };

export const ARCHITECTURES = { volta, ampere, hopper } as const;

/** What all generations share. */
export const FITTED = {
  /** Exponent with which compute and memory time overlap: 1 is no overlap, infinity a full one. */
  overlap: 3.17,
  /** Seconds that splitting a GEMM along K costs once. */
  split: 2.101e-6,
  /** Seconds after which the power limiter has taken half of what it takes; weakly determined (5 to 110 ms). */
  throttleTime: 31.89e-3,
  /** Share of the HBM peak of streaming kernels, and of those that reduce over rows. */
  streamEfficiency: 0.89,
  normEfficiency: 0.6082,
  /** Seconds of a bandwidth-bound kernel beyond its bytes. By hand. */
  elementwiseLaunch: 2.5e-6,
  /** Elements a cycle that an SM unpacks from a sparse weight into a dense tile. */
  unpackRate: 15.95,
  /** Sputnik on an A100: seconds a non-zero, and seconds a non-zero and token. */
  sputnikNonZero: 8.007e-12,
  sputnikToken: 0.1408e-12,
  /** Measured training step over the sum of its kernels; median of MPT on A100s. Well tuned Megatron-LM: 1.05 to 1.08. */
  stepOverKernels: 1.244,
} as const;
