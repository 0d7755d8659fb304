// Non-zeros that each position of a row is sent, of all features: what the main threads must have taken by the end.

import { wasmKernels } from '../wasm/module.ts';
import type { SpmmShape } from './shape.ts';

/** Adds the cells of each column up into `sums`. */
export type ColumnSums = (shape: SpmmShape, sums: Int32Array) => void;

/** By the WebAssembly twin, in whose memory both the cells and the sums lie. */
export const columnSums: ColumnSums = ({ nnz, features, cols }, sums) => {
  sums.fill(0);
  wasmKernels(0).columnSums(nnz.byteOffset, features, cols, sums.byteOffset);
};

/** The same by TypeScript alone: its judge. */
export const columnSumsPlain: ColumnSums = ({ nnz, features, cols }, sums) => {
  sums.fill(0);
  for (let n = 0, cell = 0; n < features; n++) for (let p = 0; p < cols; p++) sums[p] += nnz[cell++];
};
