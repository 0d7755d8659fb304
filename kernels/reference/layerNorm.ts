// LayerNorm and RMSNorm without gain and bias, in plain loops and double precision. inp and out are [N][C].

export function layerNorm(inp: ArrayLike<number>, N: number, C: number, epsilon: number): number[] {
  const out: number[] = [];
  for (let n = 0; n < N; n++) {
    let mean = 0;
    for (let c = 0; c < C; c++) mean += inp[n * C + c] / C;
    let variance = 0;
    for (let c = 0; c < C; c++) variance += (inp[n * C + c] - mean) ** 2 / C;
    for (let c = 0; c < C; c++) out.push((inp[n * C + c] - mean) / Math.sqrt(variance + epsilon));
  }
  return out;
}

export function rmsNorm(inp: ArrayLike<number>, N: number, C: number, epsilon: number): number[] {
  const out: number[] = [];
  for (let n = 0; n < N; n++) {
    let square = 0;
    for (let c = 0; c < C; c++) square += inp[n * C + c] ** 2 / C;
    for (let c = 0; c < C; c++) out.push(inp[n * C + c] / Math.sqrt(square + epsilon));
  }
  return out;
}
