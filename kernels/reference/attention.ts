// Attention of one sequence in plain loops and double precision. q, k, v and out are [T][H][headDim].

export function attention(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  T: number,
  H: number,
  headDim: number,
  causal: boolean,
): Float64Array {
  const C = H * headDim;
  const out = new Float64Array(T * C);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const end = causal ? t + 1 : T;
      const att: number[] = [];
      for (let s = 0; s < end; s++) {
        let dot = 0;
        for (let i = h * headDim; i < (h + 1) * headDim; i++) dot += q[t * C + i] * k[s * C + i];
        att.push(dot / Math.sqrt(headDim));
      }
      const max = Math.max(...att);
      let sum = 0;
      for (let s = 0; s < end; s++) sum += Math.exp(att[s] - max);
      for (let s = 0; s < end; s++)
        for (let i = h * headDim; i < (h + 1) * headDim; i++)
          out[t * C + i] += (Math.exp(att[s] - max) / sum) * v[s * C + i];
    }
  return out;
}
