// A mapping: how a model lies on the wafer. A group is C neighbouring columns; each group holds whole sequences, each on
// consecutive rows, T tokens a PE. All groups get the same weight streams.

import type { Accumulators } from '../../kernels/spmm/accumulators.ts';
import type { Accumulate } from '../model/spec.ts';

export interface Mapping {
  /** C, and how many groups of C columns lie side by side. */
  readonly columns: number;
  readonly groups: number;
  /** T, tokens a PE. */
  readonly tokensPerPe: number;
  /** K, accumulators of the matmuls: of all alike, or of each. */
  readonly accumulators: Accumulators;
  /** Rows in use, and those one sequence takes. */
  readonly rows: number;
  readonly rowsPerSequence: number;
  /** Micro-batches: the weights stream once for each. */
  readonly passes: number;
  readonly accumulate: Accumulate;
  /** Attention leaves out the keys that come after all queries of an instruction. */
  readonly causal: boolean;
  /** Keys of a tile of scores. */
  readonly keyBlock: number;
  /** Output features that the LM head makes at a time. */
  readonly logitSlice: number;
  /** Of a training step. */
  readonly gradients?: GradientSizes;
}

/** Of every gradient by weights: gradients of output features, and sums of products, that a PE has room for. */
export interface GradientSizes {
  readonly buffers: number;
  readonly sums: number;
}

/** Token slots of one pass; those beyond the tokens of the workload are padding. */
export function tokenSlots({ groups, rows, tokensPerPe }: Mapping): number {
  return groups * rows * tokensPerPe;
}
