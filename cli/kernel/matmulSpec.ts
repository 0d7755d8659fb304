// Cases of a spec file that say of a matrix how many non-zeros lie where: a sparse matmul, and the gradient by its weights.

import { z } from 'zod';
import type { Document } from '../../compiler/model/document.ts';
import { show } from '../../compiler/model/located.ts';
import type { Path } from '../../compiler/model/paths.ts';
import type { Gap } from '../../kernels/edge.ts';
import type { SpmmCase } from '../../kernels/index.ts';
import { gradientShape } from '../../kernels/weightGradient/shape.ts';
import type { GradientCase } from '../../run/kernelCase.ts';
import { answers, count, countOrZero, fault, latencies, MOST, MOST_WAVELETS } from './fields.ts';

const gap = z.array(z.int().min(1).max(MOST_WAVELETS));
const simd = z.number().min(0.01).max(MOST);

export const matmulSpec = z.strictObject({
  kernel: z.literal('spmm'),
  machine: latencies,
  rows: count,
  cols: count,
  tokens: count,
  // Its cells are looked at by cellsOf; a schema would take seconds for a large matrix.
  nnz: z.array(z.unknown()),
  waves: count.optional(),
  ends: z.array(countOrZero).optional(),
  accumulators: count,
  gap,
  axpyOverhead: countOrZero,
  controlSlots: count,
  simd,
  psumPerWavelet: z.int().min(1).max(2),
  ...answers,
});

/** By the weights: `nnz` and `owners` are of the streamed output features, owners the positions where their gradients lie. */
export const gradientSpec = z.strictObject({
  kernel: z.literal('weightGradient'),
  machine: latencies,
  rows: count,
  cols: count,
  tokens: count,
  nnz: z.array(z.unknown()),
  owners: z.array(countOrZero).optional(),
  buffers: count,
  gap,
  axpyOverhead: countOrZero,
  controlSlots: count,
  simd,
  ...answers,
});

export function matmulOf(document: Document, path: Path, one: z.output<typeof matmulSpec>): SpmmCase {
  const { rows, cols, tokens, accumulators, axpyOverhead, controlSlots, simd, psumPerWavelet } = one;
  const nnz = cellsOf(document, [...path, 'nnz'], one.nnz, cols);
  const waves = one.waves ?? one.nnz.length;
  const least = Math.max(1, one.nnz.length - accumulators);
  if (waves < least || waves > one.nnz.length)
    throw fault(document, [...path, 'waves'], `not so many, got ${waves}, allowed ${least} to ${one.nnz.length}`);
  return {
    kernel: 'spmm',
    rows,
    cols,
    features: one.nnz.length,
    tokens,
    nnz,
    accumulators,
    gap: gapOf(document, path, one.gap),
    axpyOverhead,
    controlSlots,
    simd,
    psumPerWavelet,
    latencies: one.machine,
    ...(one.waves === undefined ? {} : { waves }),
    ...(one.ends === undefined ? {} : { ends: positionsOf(document, [...path, 'ends'], one.ends, waves, cols) }),
  };
}

export function gradientOf(document: Document, path: Path, one: z.output<typeof gradientSpec>): GradientCase {
  const { rows, cols, tokens, buffers, axpyOverhead, controlSlots, simd } = one;
  const nnz = cellsOf(document, [...path, 'nnz'], one.nnz, cols);
  const features = one.nnz.length;
  const owners =
    one.owners === undefined
      ? Uint16Array.from({ length: features }, (_, n) => n % cols)
      : positionsOf(document, [...path, 'owners'], one.owners, features, cols);
  const row = { rows, cols, tokens, nnz, owners, buffers, gap: gapOf(document, path, one.gap) };
  const core = { axpyOverhead, controlSlots, simd, latencies: one.machine };
  return { kernel: 'weightGradient', ...gradientShape(row, core) };
}

function gapOf(document: Document, path: Path, gap: readonly number[]): Gap {
  const [numerator, denominator] = gap;
  if (gap.length === 2 && numerator >= denominator) return [numerator, denominator];
  const text = `not a gap, got ${JSON.stringify(gap)}, allowed [n, d]: n / d cycles between two wavelets, at least 1`;
  throw fault(document, [...path, 'gap'], text);
}

/** A position for each feature of which something goes round. */
function positionsOf(
  document: Document,
  path: Path,
  ends: readonly number[],
  waves: number,
  cols: number,
): Uint16Array {
  if (ends.length !== waves)
    throw fault(
      document,
      path,
      `wrong length, got ${ends.length}, allowed ${waves}, one for each feature that goes round`,
    );
  ends.forEach((end, n) => {
    const isFree = end < cols && (cols === 1 || n === 0 || end !== ends[n - 1]);
    if (!isFree)
      throw fault(
        document,
        [...path, n],
        `not a position, got ${end}, allowed 0 to ${cols - 1}, and not that of the feature before`,
      );
  });
  return Uint16Array.from(ends);
}

function cellsOf(document: Document, path: Path, features: readonly unknown[], cols: number): Uint16Array {
  if (features.length === 0) throw fault(document, path, 'no feature, got an empty list, allowed at least one');
  const cells = new Uint16Array(features.length * cols);
  for (let n = 0; n < features.length; n++) {
    const feature: unknown = features[n];
    if (!Array.isArray(feature) || feature.length !== cols) {
      const got = Array.isArray(feature) ? `${feature.length} counts` : show(feature);
      throw fault(document, [...path, n], `wrong length, got ${got}, allowed a list of ${cols}, one for each column`);
    }
    const counts: readonly unknown[] = feature;
    for (let p = 0; p < cols; p++) {
      const cell = counts[p];
      if (typeof cell !== 'number' || !Number.isInteger(cell) || cell < 0 || cell > MOST)
        throw fault(document, [...path, n, p], `not a count, got ${show(cell)}, allowed a whole number 0 to ${MOST}`);
      cells[n * cols + p] = cell;
    }
  }
  return cells;
}
