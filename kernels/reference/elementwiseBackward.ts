// Gradients of the elementwise operators in plain loops and double precision: `dout` by the output, what is returned by
// the input.

export function geluBackward(inp: ArrayLike<number>, dout: ArrayLike<number>): number[] {
  const root = Math.sqrt(2 / Math.PI);
  const dinp: number[] = [];
  for (let i = 0; i < inp.length; i++) {
    const x = inp[i];
    const tanh = Math.tanh(root * (x + 0.044715 * x ** 3));
    const inner = root * (1 + 3 * 0.044715 * x ** 2);
    dinp.push(dout[i] * (0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * inner));
  }
  return dinp;
}

export function reluBackward(inp: ArrayLike<number>, dout: ArrayLike<number>): number[] {
  const dinp: number[] = [];
  for (let i = 0; i < inp.length; i++) dinp.push(inp[i] > 0 ? dout[i] : 0);
  return dinp;
}

export function swigluBackward(
  gate: ArrayLike<number>,
  up: ArrayLike<number>,
  dout: ArrayLike<number>,
): { readonly gate: number[]; readonly up: number[] } {
  const grads = { gate: [] as number[], up: [] as number[] };
  for (let i = 0; i < gate.length; i++) {
    const sigmoid = 1 / (1 + Math.exp(-gate[i]));
    grads.gate.push(dout[i] * up[i] * sigmoid * (1 + gate[i] * (1 - sigmoid)));
    grads.up.push(dout[i] * gate[i] * sigmoid);
  }
  return grads;
}

/** Of one token's head: the pairs turned back. */
export function rotaryBackward(dout: ArrayLike<number>, position: number): number[] {
  const dinp: number[] = [];
  for (let j = 0; 2 * j + 1 < dout.length; j++) {
    const angle = position * 10000 ** ((-2 * j) / dout.length);
    dinp.push(dout[2 * j] * Math.cos(angle) + dout[2 * j + 1] * Math.sin(angle));
    dinp.push(dout[2 * j + 1] * Math.cos(angle) - dout[2 * j] * Math.sin(angle));
  }
  return dinp;
}
