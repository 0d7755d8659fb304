// Activations of one row of the mesh, feature k of a width at ring position k mod C, [feature][token] on each PE.

import { columnOf } from '../../emulator/program/ring.ts';

/** PE column and local index of feature k. */
export function placeOf(k: number, cols: number): { x: number; local: number } {
  return { x: columnOf(k % cols, cols), local: Math.floor(k / cols) };
}

/** Writes activations [token][feature] of row y into a bank, at word `at` of each PE. */
export function scatter(
  memory: Float32Array,
  inp: ArrayLike<number>,
  mesh: { cols: number; words: number; y: number; at: number; tokens: number; width: number },
): void {
  const { cols, words, y, at, tokens, width } = mesh;
  for (let k = 0; k < width; k++) {
    const { x, local } = placeOf(k, cols);
    for (let i = 0; i < tokens; i++) memory[(y * cols + x) * words + at + local * tokens + i] = inp[i * width + k];
  }
}

/** Reads them back. */
export function gather(
  memory: ArrayLike<number>,
  mesh: { cols: number; words: number; y: number; at: number; tokens: number; width: number },
): number[] {
  const { cols, words, y, at, tokens, width } = mesh;
  const out: number[] = [];
  for (let i = 0; i < tokens; i++)
    for (let k = 0; k < width; k++) {
      const { x, local } = placeOf(k, cols);
      out.push(memory[(y * cols + x) * words + at + local * tokens + i]);
    }
  return out;
}
