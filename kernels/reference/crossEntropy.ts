// The loss of tokens and its gradient by their logits, in plain loops and double precision. Logits are [N][V]; the loss is the
// mean over the tokens of -log of the probability of their targets.

import { logitSummary } from './logits.ts';

function logitsOf(logits: ArrayLike<number>, n: number, V: number): number[] {
  return Array.from({ length: V }, (_, v) => logits[n * V + v]);
}

export function crossEntropy(logits: ArrayLike<number>, targets: ArrayLike<number>, V: number): number {
  let loss = 0;
  for (let n = 0; n < targets.length; n++) {
    const own = logitsOf(logits, n, V);
    const { max, sum } = logitSummary(own);
    loss += (Math.log(sum) + max - own[targets[n]]) / targets.length;
  }
  return loss;
}

export function crossEntropyBackward(logits: ArrayLike<number>, targets: ArrayLike<number>, V: number): Float64Array {
  const N = targets.length;
  const dlogits = new Float64Array(N * V);
  for (let n = 0; n < N; n++) {
    const own = logitsOf(logits, n, V);
    const { max, sum } = logitSummary(own);
    for (let v = 0; v < V; v++) dlogits[n * V + v] = (Math.exp(own[v] - max) / sum - (v === targets[n] ? 1 : 0)) / N;
  }
  return dlogits;
}
