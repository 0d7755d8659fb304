// From a mask to non-zeros per cell: how many weights of output feature n (in stream order) lie at each ring position.
// Timing needs no more of a matrix than this. Counted by the WebAssembly twin; the plain form is its judge.

import { arenaBytes, arenaIn, type Arena } from '../../emulator/streamed/arena.ts';
import { ARENA_START, wasmKernels } from '../../emulator/wasm/module.ts';
import { placeOf, streamOrder } from './layout.ts';
import { DENSITY_BITS, maskRow, maskSource } from './mask.ts';
import type { PlacedWeights } from './placed.ts';
import { countTransposed, countTransposedPlain } from './transposed.ts';

const DENSE: number = 2 ** DENSITY_BITS;

/** Where counts go: so many entries, whatever is in them. */
export type Room = (entries: number) => Uint16Array;

const ownRoom: Room = (entries) => new Uint16Array(entries);

let latest = new Uint16Array(0);

/** The same memory each time: for counts that are done with before this thread counts again. New pages cost a millisecond. */
export const sharedRoom: Room = (entries) => {
  if (latest.length < entries) latest = new Uint16Array(entries);
  return latest.subarray(0, entries);
};

/** Entry n * cols + p; n counts the streamed output features. */
export function countCells(weights: PlacedWeights, cols: number, room: Room = ownRoom): Uint16Array {
  if (weights.transposed) return countTransposed(weights, cols);
  const { mask, input, output } = weights;
  const { threshold, keys } = maskSource(mask);
  if (threshold === DENSE || threshold === 0) return countCellsPlain(weights, cols);
  const { rows: order } = streamOrder(output, cols);
  const lay = (arena: Arena): readonly [Int32Array, Int32Array, Uint16Array, Int32Array, Int32Array, Uint16Array] => [
    arena.ints(order.length),
    arena.ints(keys.length),
    arena.counts(mask.width),
    // Groups of columns are read whole, eight at a time, beyond the end of the row.
    arena.ints(Math.ceil(mask.width / 32) + Math.ceil((8 * cols) / 32) + 20),
    arena.ints(4 * DENSITY_BITS),
    arena.rawCounts(order.length * cols + 128),
  ];
  const kernels = wasmKernels(arenaBytes((arena) => void lay(arena)));
  const [orderAt, keysAt, positionAt, words, planes, counts] = lay(arenaIn(kernels.memory.buffer, ARENA_START));
  orderAt.set(order);
  keysAt.set(keys);
  const common = [
    orderAt.byteOffset,
    order.length,
    mask.width,
    threshold,
    keysAt.byteOffset,
    cols,
    words.byteOffset,
  ] as const;
  if (input.kind === 'strided' && input.parts === undefined)
    kernels.countStrided(...common, planes.byteOffset, counts.byteOffset);
  else {
    positionAt.set(placeOf(input, cols).position);
    kernels.countPlaced(...common, positionAt.byteOffset, counts.byteOffset);
  }
  const cells = room(order.length * cols);
  cells.set(counts.subarray(0, cells.length));
  return cells;
}

/** The same by TypeScript alone. */
export function countCellsPlain(weights: PlacedWeights, cols: number): Uint16Array {
  if (weights.transposed) return countTransposedPlain(weights, cols);
  const { mask, input, output } = weights;
  const { rows: order } = streamOrder(output, cols);
  const { position } = placeOf(input, cols);
  const counts = new Uint16Array(order.length * cols);
  const source = maskSource(mask);
  if (source.threshold === 0) return counts;
  if (source.threshold === DENSE) {
    const dense = new Uint16Array(cols);
    for (const p of position) dense[p]++;
    order.forEach((row, n) => {
      if (row >= 0) counts.set(dense, n * cols);
    });
    return counts;
  }
  const words = new Int32Array(source.wordsPerRow);
  for (let n = 0; n < order.length; n++) {
    if (order[n] < 0) continue;
    maskRow(source, order[n], words);
    const cell = n * cols;
    for (let i = 0; i < words.length; i++)
      for (let bits = words[i]; bits !== 0; bits &= bits - 1)
        counts[cell + position[(i << 5) + 31 - Math.clz32(bits & -bits)]]++;
  }
  return counts;
}
