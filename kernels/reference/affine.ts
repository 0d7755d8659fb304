// Scale and shift of each feature in plain loops and double precision. inp and out are [N][C], scale and shift [C].

export function affine(
  inp: ArrayLike<number>,
  scale: ArrayLike<number>,
  shift: ArrayLike<number>,
  N: number,
  C: number,
): number[] {
  const out: number[] = [];
  for (let n = 0; n < N; n++) for (let c = 0; c < C; c++) out.push(inp[n * C + c] * scale[c] + shift[c]);
  return out;
}
