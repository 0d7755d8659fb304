// A dense matrix product C[m,n] = A[m,k] W[n,k]^T on tensor cores, fp32 accumulation. m: tokens, n: out features,
// k: in features. The model does what cuBLAS does: it tries tiles and splits along k and takes the fastest. Tile and wave
// quantisation as in NVIDIA's Matrix Multiplication Background guide (DU-09799). NN, NT and TN layouts count as equal.

import { FITTED } from './architectures.ts';
import { overlapped } from './overlap.ts';
import type { Gpu } from './presets.ts';
import { DENSE, SPARSE_24, type WeightFormat } from './sparse24.ts';
import { alignmentFactor, smPeak, STEADY, tensorShare } from './tensorRate.ts';

export interface GemmShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Products of this shape in one kernel. */
  readonly batch?: number;
}

export interface GemmOptions {
  /** Bytes an element; the tensor rate stays that of 16-bit formats. */
  readonly bytes?: number;
  /** For how long the GPU has been running such work, seconds. */
  readonly runSeconds?: number;
  /** W in the 2:4 format. */
  readonly sparse24?: boolean;
}

export interface GemmTime {
  readonly seconds: number;
  /** Rows and columns of C a tile has. */
  readonly tile: readonly [number, number];
  /** Parts into which k is split, each with its own tiles. */
  readonly split: number;
}

const TILES: readonly (readonly [number, number])[] = [
  [256, 128],
  [128, 256],
  [128, 128],
  [128, 64],
  [64, 128],
  [64, 64],
  [64, 32],
  [32, 64],
  [64, 16],
  [16, 64],
];
const SPLITS = [1, 2, 3, 4, 6, 8, 12, 16] as const;
/** A split part shorter than this is not worth its reduction. */
const LEAST_SPLIT_K = 128;
/** No split once the tiles fill the SMs so many times. */
const MOST_SPLIT_WAVES = 4;
/** A tile covers k in steps of this. */
const K_STEP = 32;

interface Problem {
  readonly gpu: Gpu;
  readonly shape: Required<GemmShape>;
  readonly bytes: number;
  readonly weights: WeightFormat;
  /** FLOP/s of one SM. */
  readonly rate: number;
}

/** Seconds of one kernel. */
export function gemmSeconds(gpu: Gpu, shape: GemmShape, options: GemmOptions = {}): number {
  return gemm(gpu, shape, options).seconds;
}

/** Seconds of one kernel, and the tile and split that it takes. */
export function gemm(gpu: Gpu, shape: GemmShape, options: GemmOptions = {}): GemmTime {
  const { bytes = 2, runSeconds = STEADY, sparse24 = false } = options;
  const { m, n, k, batch = 1 } = shape;
  const weights = sparse24 ? SPARSE_24 : DENSE;
  const alignment = Math.min(alignmentFactor(n), alignmentFactor(k));
  const speedUp = sparse24 ? gpu.architecture.sparse24Rate : 1;
  const rate = smPeak(gpu) * tensorShare(gpu, runSeconds) * alignment * speedUp;
  const problem = { gpu, shape: { m, n, k, batch }, bytes, weights, rate };

  let best: GemmTime = { seconds: Number.POSITIVE_INFINITY, tile: TILES[0], split: 1 };
  for (const tile of TILES) {
    if (tile[0] > Math.max(64, 2 * m) || tile[1] > Math.max(64, 2 * n)) continue;
    for (const split of SPLITS) {
      if (split > 1 && !maySplit(problem, tile, split)) continue;
      const seconds = tiledSeconds(problem, tile, split);
      if (seconds < best.seconds) best = { seconds, tile, split };
    }
  }
  return { ...best, seconds: gpu.architecture.launch + best.seconds };
}

/**
 * Seconds of one kernel among `repeats` back to back on a cool GPU, as benchmarks run it: the loop itself brings on the
 * power limit. A fixed point, since a longer loop makes a slower kernel; each round shrinks the error more than tenfold.
 */
export function repeatedGemmSeconds(gpu: Gpu, shape: GemmShape, repeats: number, options: GemmOptions = {}): number {
  let seconds = gemmSeconds(gpu, shape, { ...options, runSeconds: 0 });
  for (let round = 0; round < 12; round++) {
    seconds = gemmSeconds(gpu, shape, { ...options, runSeconds: repeats * seconds });
  }
  return seconds;
}

function tileCount(
  { shape: { m, n, batch } }: Problem,
  [rows, columns]: readonly [number, number],
  split: number,
): number {
  return batch * Math.ceil(m / rows) * Math.ceil(n / columns) * split;
}

function maySplit(problem: Problem, tile: readonly [number, number], split: number): boolean {
  const fits = tileCount(problem, tile, split) <= MOST_SPLIT_WAVES * problem.gpu.sms;
  return fits && problem.shape.k / split >= LEAST_SPLIT_K;
}

/** Seconds without the launch. */
function tiledSeconds(problem: Problem, tile: readonly [number, number], split: number): number {
  const { gpu, shape, bytes, weights, rate } = problem;
  const { m, n, k, batch } = shape;
  const { hbmEfficiency, l2Fill, storeExposed } = gpu.architecture;
  const [rows, columns] = tile;
  const tiles = tileCount(problem, tile, split);
  const kTile = K_STEP * Math.ceil(Math.ceil(k / split) / K_STEP);
  const hbm = gpu.hbmBandwidth * hbmEfficiency;

  const multiply = (Math.ceil(tiles / gpu.sms) * 2 * rows * columns * kTile) / rate;
  // Small tiles reuse little, and few tiles leave SMs idle: both are fed too slowly.
  const fill = (tiles * (rows + columns * weights.bytesShare) * kTile * bytes) / (Math.min(tiles, gpu.sms) * l2Fill);
  const memory = (batch * bytes * (m * k + k * n * weights.bytesShare + (1 - storeExposed) * m * n)) / hbm;
  const store = (batch * bytes * storeExposed * m * n) / hbm;
  // fp32 partial sums, written and read through L2.
  const reduce = split > 1 ? FITTED.split + (8 * batch * split * m * n) / (gpu.sms * l2Fill) : 0;
  return overlapped(Math.max(multiply, fill), memory) + store + reduce;
}
