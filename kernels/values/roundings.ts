// How far the logits of a GPT may be from the plain reference. The reference rounds to fp32, the mesh to fp16 after every
// operation. A rounding to fp16 is off by at most 2^-11 of the power of two below the value, uniformly: with mantissas
// spread logarithmically, a variance of ROUNDING relative to the value squared. Roundings of all operators are added as
// independent, each relative to the mean square of what its operator computes.

/** 2^-22 / 3, times the mean of 1 / v^2 over mantissas v spread logarithmically in [1, 2). */
export const ROUNDING = ((2 ** -22 / 3) * 0.375) / Math.LN2;

export interface RoundedGpt {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly ff: number;
  /** Of the matrices of the layers. */
  readonly sparsity: number;
  /** Tokens of a sequence. */
  readonly length: number;
  /** C, columns of the group. */
  readonly columns: number;
}

/** Roundings of a dot product of n terms over C columns: the products, the sums in a column, and those round the ring. */
function dotRoundings(n: number, C: number): number {
  return 1 + n / C / 2 + C / 2;
}

/** Variance of the logits' error relative to their mean square. Residual and branch are taken to be equally large. */
export function logitErrorVariance({ layers, width, heads, ff, sparsity, length, columns }: RoundedGpt): number {
  const dot = (inputs: number): number => dotRoundings((1 - sparsity) * inputs, columns) + 1;
  const norm = 5;
  let x = 1;
  const add = (branch: number): void => {
    x = (x + branch) / 2 + 1;
  };
  for (let l = 0; l < layers; l++) {
    const qkv = x + norm + dot(width);
    // Scores near 1: their error is a share of every weight of the mean. Queries and keys bring theirs, then come the
    // products, the scale, the difference and the exponential; each key rounds the output twice, half of them at work.
    const scores = 2 * qkv + dotRoundings(width / heads, Math.max(1, Math.floor(columns / heads))) + 3;
    add(qkv + scores + length + dot(width));
    add(x + norm + dot(width) + 1 + dot(ff));
  }
  return (x + norm + dotRoundings(width, columns)) * ROUNDING;
}
