// Gradients of the attention of one sequence in plain loops and double precision. All are [T][H][headDim]; `dout` is by
// the output.

export interface AttentionGradients {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly v: Float64Array;
}

export function attentionBackward(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  dout: ArrayLike<number>,
  T: number,
  H: number,
  headDim: number,
  causal: boolean,
): AttentionGradients {
  const C = H * headDim;
  const grads = { q: new Float64Array(T * C), k: new Float64Array(T * C), v: new Float64Array(T * C) };
  const scale = 1 / Math.sqrt(headDim);
  const dot = (a: ArrayLike<number>, t: number, b: ArrayLike<number>, s: number, h: number): number => {
    let sum = 0;
    for (let i = h * headDim; i < (h + 1) * headDim; i++) sum += a[t * C + i] * b[s * C + i];
    return sum;
  };
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const end = causal ? t + 1 : T;
      const scores = Array.from({ length: end }, (_, s) => scale * dot(q, t, k, s, h));
      const max = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - max));
      const sum = weights.reduce((a, b) => a + b, 0);
      const p = weights.map((weight) => weight / sum);
      const dp = p.map((_, s) => dot(dout, t, v, s, h));
      const mean = p.reduce((total, each, s) => total + each * dp[s], 0);
      for (let s = 0; s < end; s++) {
        const ds = scale * p[s] * (dp[s] - mean);
        for (let i = h * headDim; i < (h + 1) * headDim; i++) {
          grads.v[s * C + i] += p[s] * dout[t * C + i];
          grads.q[t * C + i] += ds * k[s * C + i];
          grads.k[s * C + i] += ds * q[t * C + i];
        }
      }
    }
  return grads;
}
