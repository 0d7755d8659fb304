// Gradients of LayerNorm and RMSNorm without gain and bias, in plain loops and double precision. All are [N][C]; `dout` is
// by the normalised values. Gain and bias have theirs in gainBackward.

export function layerNormBackward(
  inp: ArrayLike<number>,
  dout: ArrayLike<number>,
  N: number,
  C: number,
  epsilon: number,
): number[] {
  const dinp: number[] = [];
  for (let n = 0; n < N; n++) {
    let mean = 0;
    for (let c = 0; c < C; c++) mean += inp[n * C + c] / C;
    let variance = 0;
    for (let c = 0; c < C; c++) variance += (inp[n * C + c] - mean) ** 2 / C;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    let sum = 0;
    let product = 0;
    for (let c = 0; c < C; c++) {
      sum += dout[n * C + c] / C;
      product += (dout[n * C + c] * (inp[n * C + c] - mean) * inverse) / C;
    }
    for (let c = 0; c < C; c++)
      dinp.push(inverse * (dout[n * C + c] - sum - (inp[n * C + c] - mean) * inverse * product));
  }
  return dinp;
}

export function rmsNormBackward(
  inp: ArrayLike<number>,
  dout: ArrayLike<number>,
  N: number,
  C: number,
  epsilon: number,
): number[] {
  const dinp: number[] = [];
  for (let n = 0; n < N; n++) {
    let square = 0;
    for (let c = 0; c < C; c++) square += inp[n * C + c] ** 2 / C;
    const inverse = 1 / Math.sqrt(square + epsilon);
    let product = 0;
    for (let c = 0; c < C; c++) product += (dout[n * C + c] * inp[n * C + c] * inverse) / C;
    for (let c = 0; c < C; c++) dinp.push(inverse * (dout[n * C + c] - inp[n * C + c] * inverse * product));
  }
  return dinp;
}

/** Of the gain and the bias [C] that follow: sums over all N tokens, `normalised` being what the gain multiplied. */
export function gainBackward(
  normalised: ArrayLike<number>,
  dout: ArrayLike<number>,
  N: number,
  C: number,
): { readonly weight: Float64Array; readonly bias: Float64Array } {
  const weight = new Float64Array(C);
  const bias = new Float64Array(C);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      weight[c] += dout[n * C + c] * normalised[n * C + c];
      bias[c] += dout[n * C + c];
    }
  return { weight, bias };
}
