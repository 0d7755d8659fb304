// Non-zeros of a matrix by input feature, counted once, and from them those of the fullest column for any number of columns:
// what a matmul cannot be faster than. 32 weights at a time: a row of the mask is added into bit-sliced counters,
// whose bit b of word i belongs to weight 32 i + (bit of the word), and which are emptied before they overflow.

import type { MatmulStep } from '../../compiler/lower/program.ts';
import { headLayout } from '../../kernels/attention/layout.ts';
import { type Layout, placesOf, streamOrder } from '../../kernels/spmm/layout.ts';
import { isDense, type Mask, maskRow, maskSource } from '../../kernels/spmm/mask.ts';

const PLANES = 8;
/** Rows that counters of so many planes hold. */
const MOST_ROWS: number = 2 ** PLANES - 1;

/** Non-zeros of each input feature over the rows given. */
export function nonZerosByInput(mask: Mask, rows: ArrayLike<number>): Float64Array {
  const source = maskSource(mask);
  const { wordsPerRow: size } = source;
  const totals = new Float64Array(mask.width);
  const words = new Int32Array(size);
  const planes = new Int32Array(PLANES * size);
  for (let i = 0; i < rows.length; i++) {
    maskRow(source, rows[i], words);
    for (let w = 0; w < size; w++) {
      let carry = words[w];
      for (let at = w; carry !== 0; at += size) {
        const before = planes[at];
        planes[at] = before ^ carry;
        carry &= before;
      }
    }
    if ((i + 1) % MOST_ROWS === 0 || i + 1 === rows.length) empty(planes, size, totals);
  }
  return totals;
}

/** Non-zeros of each row. */
function nonZerosByRow(mask: Mask): Float64Array {
  const source = maskSource(mask);
  const words = new Int32Array(source.wordsPerRow);
  return Float64Array.from({ length: mask.rows }, (_, row) => {
    maskRow(source, row, words);
    return words.reduce((sum, word) => sum + bitsOf(word), 0);
  });
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function empty(planes: Int32Array, size: number, totals: Float64Array): void {
  for (let at = 0; at < planes.length; at++) {
    const weight = 1 << Math.floor(at / size);
    for (let bits = planes[at]; bits !== 0; bits &= bits - 1)
      totals[((at % size) << 5) + 31 - Math.clz32(bits & -bits)] += weight;
  }
  planes.fill(0);
}

/** Output features of a matmul; those of shared heads are streamed for each of their query heads. */
function featuresOf(output: Layout): number {
  return output.kind === 'strided' ? output.features : output.parts.length * output.heads * output.headDim;
}

/** Non-zeros of the column that has most of them, and of the one that has fewest. */
export interface ColumnTotals {
  readonly most: number;
  readonly fewest: number;
  /** Output features that are streamed, empty ones between two others included. */
  readonly features: number;
}

/** A matrix on so many columns. */
export type Streamed = Pick<MatmulStep, 'weights' | 'cols'>;

export type ColumnTotalsOf = (step: Streamed) => ColumnTotals;

/** Each matrix is counted once, whatever it lies on. */
export function columnTotals(): ColumnTotalsOf {
  const byInput = new Map<string, Float64Array>();
  const known = new Map<string, ColumnTotals>();
  const streamed = new Map<string, number>();
  const streamedOf = ({ weights: { output }, cols }: Streamed): number => {
    if (output.kind === 'strided' && output.parts === undefined) return output.features;
    const key = JSON.stringify([output, cols]);
    const features = streamed.get(key) ?? streamOrder(output, cols).rows.length;
    streamed.set(key, features);
    return features;
  };
  const inputsOf = ({ weights, cols }: Streamed): Float64Array => {
    const { mask, output, transposed } = weights;
    if (transposed) {
      const key = JSON.stringify(mask);
      const counted = byInput.get(key) ?? nonZerosByRow(mask);
      byInput.set(key, counted);
      return counted;
    }
    // Which rows are streamed, and how often, is the same for any number of columns.
    const key = JSON.stringify([mask, output]);
    const counted =
      byInput.get(key) ??
      nonZerosByInput(
        mask,
        streamOrder(output, cols).rows.filter((row) => row >= 0),
      );
    byInput.set(key, counted);
    return counted;
  };
  return (step) => {
    const { weights, cols } = step;
    if (isDense(weights.mask)) {
      const most = featuresOf(weights.output) * localInputs(weights.input, cols);
      return { most, fewest: 0, features: streamedOf(step) };
    }
    const key = JSON.stringify([weights, cols]);
    const totals = known.get(key) ?? {
      ...fullestAndEmptiest(inputsOf(step), weights.input, cols),
      features: streamedOf(step),
    };
    known.set(key, totals);
    return totals;
  };
}

function fullestAndEmptiest(byInput: Float64Array, input: Layout, cols: number): Omit<ColumnTotals, 'features'> {
  const totals = new Float64Array(cols);
  placesOf(input, cols).forEach((feature, place) => {
    if (feature >= 0) totals[place % cols] += byInput[feature];
  });
  return {
    most: totals.reduce((a, b) => Math.max(a, b)),
    fewest: totals.reduce((a, b) => Math.min(a, b)),
  };
}

/** Input features, padding left out, of a column that has most of them. */
function localInputs(input: Layout, cols: number): number {
  if (input.kind === 'heads') {
    const { headsPerColumn, features } = headLayout(input.heads, input.headDim, cols, input.pairs);
    return input.parts.length * headsPerColumn * Math.min(features, input.headDim);
  }
  const { features, parts = 1 } = input;
  return parts * Math.ceil(features / parts / cols);
}
