// 2:4 structured weights: of four neighbours two are kept, with two bits of index each, so 16-bit weights take 9/16 of the
// bytes. The tensor rate of the generation (sparse24Rate in architectures.ts) is set by hand: A100 1.6, from 484 TFLOP/s
// effective over 302 dense at locked clock and 1.62 to 1.66 of cuSPARSELt in PyTorch PR 90119; Hopper 1.25, from 1.20 to
// 1.22 of cuSPARSELt at 8192^3. For few tokens the gain is an upper bound: it needs a kernel such as Marlin's.
// Measurements: validation/gpu-2to4-structured.json.

export interface WeightFormat {
  /** Bytes of the weights over those of a dense 16-bit matrix. */
  readonly bytesShare: number;
}

export const DENSE: WeightFormat = { bytesShare: 1 };
export const SPARSE_24: WeightFormat = { bytesShare: 0.5625 };
