// Statistics of a token's logits in plain loops and double precision.

export interface LogitSummary {
  readonly max: number;
  /** Lowest index of the largest logit. */
  readonly index: number;
  /** Sum of exp(logit - max). */
  readonly sum: number;
}

export function logitSummary(logits: ArrayLike<number>): LogitSummary {
  let index = 0;
  for (let n = 1; n < logits.length; n++) if (logits[n] > logits[index]) index = n;
  const max = logits[index];
  let sum = 0;
  for (let n = 0; n < logits.length; n++) sum += Math.exp(logits[n] - max);
  return { max, index, sum };
}
