// The gradient by the weights as the engines of the matmul take it: the same two threads, the ring running before the stream
// and not behind it (program.ts). Its sums fill memory, so the output features are taken in chunks; after each the rows
// add up what they have, by a columnReduce.

import { type Machine, latenciesOf } from '../../emulator/machine/spec.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { type Gap, streamGap } from '../edge.ts';

/** What a sum of products is kept in: fp16, two of them a wavelet on the way out; or fp32, one a wavelet. */
export type Accumulate = 'fp16' | 'fp32';

export interface GradientRow {
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
  /** Non-zeros of streamed feature n at ring position p: entry n * cols + p. */
  readonly nnz: Uint16Array;
  /** By streamed feature: the ring position at which its gradient lies. */
  readonly owners: Uint16Array;
  /** K, the gradients that a PE has room for. */
  readonly buffers: number;
  /** Of the stream of indices. */
  readonly gap: Gap;
  readonly accumulate: Accumulate;
}

/** The row as the engines of the matmul take it. */
export function gradientRow({ accumulate, ...row }: GradientRow, machine: Machine): SpmmShape {
  const { axpyOverhead, controlSlots, simdFp16, simdFp16ToFp32 } = machine.core;
  const simd = accumulate === 'fp16' ? simdFp16 : simdFp16ToFp32;
  return gradientShape(row, { axpyOverhead, controlSlots, simd, latencies: latenciesOf(machine) });
}

/** Main features: the K control wavelets first, then the streamed features, which have no wave of their own any more. */
export function gradientShape(
  { rows, cols, tokens, nnz, owners, buffers, gap }: Omit<GradientRow, 'accumulate'>,
  core: Pick<SpmmShape, 'axpyOverhead' | 'controlSlots' | 'simd' | 'latencies'>,
): SpmmShape {
  const shifted = new Uint16Array(nnz.length + buffers * cols);
  shifted.set(nnz, buffers * cols);
  return {
    rows,
    cols,
    features: owners.length + buffers,
    waves: owners.length,
    // A wave begins where the next position after its end is.
    ends: owners.map((owner) => (owner + cols - 1) % cols),
    tokens,
    nnz: shifted,
    accumulators: buffers,
    gap,
    ...core,
    // Gradients are fp16 on their way, whatever the sums are.
    psumPerWavelet: 2,
  };
}

/** Pace of the streams: two indices pass the edge as one wavelet; where no weight is zero, none has to. */
export function indexGap(machine: Machine, cols: number, dense: boolean): Gap {
  return dense ? [1, 1] : streamGap(machine, cols, 2);
}

/** Wavelets in which so many sums leave a column. */
export function sumWavelets(sums: number, accumulate: Accumulate): number {
  return accumulate === 'fp16' ? Math.ceil(sums / 2) : sums;
}
