// From a mask to non-zeros per cell: how many weights of output feature n (in stream order) lie at each ring position.
// Timing needs no more of a matrix than this.

import { type Layout, placeOf, streamOrder } from './layout.ts';
import { DENSITY_BITS, type Mask, maskRow, maskSource } from './mask.ts';

/** A matrix as it lies on a group: output features in stream order, input features at their positions. */
export interface PlacedWeights {
  readonly mask: Mask;
  readonly input: Layout;
  readonly output: Layout;
}

/** Entry n * cols + p; n counts the streamed output features, padding included. */
export function countCells({ mask, input, output }: PlacedWeights, cols: number): Uint16Array {
  const order = streamOrder(output, cols);
  const { position } = placeOf(input, cols);
  const counts = new Uint16Array(order.length * cols);
  const source = maskSource(mask);
  if (source.threshold === 2 ** DENSITY_BITS) {
    const dense = new Uint16Array(cols);
    for (const p of position) dense[p]++;
    order.forEach((row, n) => {
      if (row >= 0) counts.set(dense, n * cols);
    });
    return counts;
  }
  const { wordsPerRow } = source;
  const words = new Int32Array(wordsPerRow);
  for (let n = 0; n < order.length; n++) {
    if (order[n] < 0) continue;
    maskRow(source, order[n], words);
    const cell = n * cols;
    for (let i = 0; i < wordsPerRow; i++)
      for (let bits = words[i]; bits !== 0; bits &= bits - 1)
        counts[cell + position[(i << 5) + 31 - Math.clz32(bits & -bits)]]++;
  }
  return counts;
}
