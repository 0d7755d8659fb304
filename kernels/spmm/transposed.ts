// Non-zeros per cell of a transposed mask (counts.ts): the rows of the mask lie at ring positions, its columns are
// streamed. Counted by the WebAssembly twin; the plain form is its judge.

import { arenaBytes, arenaIn, type Arena } from '../../emulator/streamed/arena.ts';
import { ARENA_START, wasmKernels } from '../../emulator/wasm/module.ts';
import { placesOf, streamOrder } from './layout.ts';
import { DENSITY_BITS, maskRow, maskSource } from './mask.ts';
import type { PlacedWeights } from './placed.ts';

/** Rows of the mask by ring position: those of position p are rows[from[p]] to rows[from[p + 1]]. */
function rowsByPosition({ input }: PlacedWeights, cols: number): { rows: Int32Array; from: Int32Array } {
  const at: number[][] = Array.from({ length: cols }, () => []);
  placesOf(input, cols).forEach((row, place) => {
    if (row >= 0) at[place % cols].push(row);
  });
  const from = new Int32Array(cols + 1);
  at.forEach((list, p) => (from[p + 1] = from[p] + list.length));
  return { rows: Int32Array.from(at.flat()), from };
}

/** Entry n * cols + p; n counts the streamed output features. */
export function countTransposed(weights: PlacedWeights, cols: number): Uint16Array {
  const { mask, output } = weights;
  const { threshold, keys, wordsPerRow } = maskSource(mask);
  const order = streamOrder(output, cols).rows;
  const { rows, from } = rowsByPosition(weights, cols);
  if (threshold === 0) return new Uint16Array(order.length * cols);
  if (threshold === 2 ** DENSITY_BITS) return denseCounts(order, from);
  const most = from.reduce((max, begin, p) => (p === 0 ? max : Math.max(max, begin - from[p - 1])), 1);
  const digits = 32 - Math.clz32(most);
  const vectors = Math.ceil(mask.width / 128);
  const lay = (arena: Arena): readonly Int32Array[] => [
    arena.ints(order.length),
    arena.ints(rows.length),
    arena.ints(from.length),
    arena.ints(keys.length),
    // A row is written in whole blocks of 16 words.
    arena.ints(wordsPerRow + 16),
    arena.ints(4 * vectors * digits),
    arena.ints(8 * 64 * vectors),
  ];
  const layCounts = (arena: Arena): Uint16Array => arena.counts(order.length * cols);
  const bytes = arenaBytes((arena) => {
    lay(arena);
    layCounts(arena);
  });
  const kernels = wasmKernels(bytes);
  const arena = arenaIn(kernels.memory.buffer, ARENA_START);
  const [orderAt, rowsAt, fromAt, keysAt, words, planes, sums] = lay(arena);
  const counts = layCounts(arena);
  orderAt.set(order);
  rowsAt.set(rows);
  fromAt.set(from);
  keysAt.set(keys);
  kernels.countTransposed(
    orderAt.byteOffset,
    order.length,
    rowsAt.byteOffset,
    fromAt.byteOffset,
    mask.width,
    threshold,
    keysAt.byteOffset,
    cols,
    words.byteOffset,
    digits,
    planes.byteOffset,
    sums.byteOffset,
    counts.byteOffset,
  );
  return counts.slice();
}

function denseCounts(order: Int32Array, from: Int32Array): Uint16Array {
  const cols = from.length - 1;
  const dense = Uint16Array.from({ length: cols }, (_, p) => from[p + 1] - from[p]);
  const counts = new Uint16Array(order.length * cols);
  order.forEach((k, n) => {
    if (k >= 0) counts.set(dense, n * cols);
  });
  return counts;
}

/** The same by TypeScript alone. */
export function countTransposedPlain(weights: PlacedWeights, cols: number): Uint16Array {
  const order = streamOrder(weights.output, cols).rows;
  const { rows, from } = rowsByPosition(weights, cols);
  const source = maskSource(weights.mask);
  const counts = new Uint16Array(order.length * cols);
  const words = new Int32Array(source.wordsPerRow);
  for (let p = 0; p < cols; p++)
    for (let r = from[p]; r < from[p + 1]; r++) {
      maskRow(source, rows[r], words);
      order.forEach((k, n) => {
        if (k >= 0) counts[n * cols + p] += (words[k >> 5] >>> (k & 31)) & 1;
      });
    }
  return counts;
}
