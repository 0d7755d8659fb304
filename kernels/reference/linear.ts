// A linear layer and its gradients in plain loops and double precision. x is [T][C], weight [OC][C], out [T][OC].

type Numbers = ArrayLike<number>;

export function linear(x: Numbers, weight: Numbers, bias: Numbers | null, T: number): Float64Array {
  const C = x.length / T;
  const OC = weight.length / C;
  const out = new Float64Array(T * OC);
  for (let t = 0; t < T; t++)
    for (let o = 0; o < OC; o++) {
      out[t * OC + o] = bias === null ? 0 : bias[o];
      for (let c = 0; c < C; c++) out[t * OC + o] += x[t * C + c] * weight[o * C + c];
    }
  return out;
}

/** By each array of `linear`, from the gradient `dout` by its output. */
export function linearBackward(
  x: Numbers,
  weight: Numbers,
  dout: Numbers,
  T: number,
): { dinp: Float64Array; weight: Float64Array; bias: Float64Array } {
  const C = x.length / T;
  const OC = weight.length / C;
  const grads = { dinp: new Float64Array(T * C), weight: new Float64Array(OC * C), bias: new Float64Array(OC) };
  for (let t = 0; t < T; t++)
    for (let o = 0; o < OC; o++) {
      const gradient = dout[t * OC + o];
      grads.bias[o] += gradient;
      for (let c = 0; c < C; c++) {
        grads.dinp[t * C + c] += gradient * weight[o * C + c];
        grads.weight[o * C + c] += gradient * x[t * C + c];
      }
    }
  return grads;
}
