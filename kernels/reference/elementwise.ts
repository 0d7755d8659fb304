// Elementwise operators in plain loops and double precision, over values in any order.

export function gelu(inp: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0; i < inp.length; i++) {
    const cube = 0.044715 * inp[i] ** 3;
    out.push(0.5 * inp[i] * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (inp[i] + cube))));
  }
  return out;
}

export function relu(inp: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0; i < inp.length; i++) out.push(inp[i] > 0 ? inp[i] : 0);
  return out;
}

export function residual(inp1: ArrayLike<number>, inp2: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0; i < inp1.length; i++) out.push(inp1[i] + inp2[i]);
  return out;
}

export function swiglu(gate: ArrayLike<number>, up: ArrayLike<number>): number[] {
  const out: number[] = [];
  for (let i = 0; i < gate.length; i++) out.push((gate[i] / (1 + Math.exp(-gate[i]))) * up[i]);
  return out;
}

/** One token's head: features 2j, 2j + 1 turned by `position` times the angle of pair j (base 10000). */
export function rotary(inp: ArrayLike<number>, position: number): number[] {
  const out: number[] = [];
  for (let j = 0; 2 * j + 1 < inp.length; j++) {
    const angle = position * 10000 ** ((-2 * j) / inp.length);
    out.push(inp[2 * j] * Math.cos(angle) - inp[2 * j + 1] * Math.sin(angle));
    out.push(inp[2 * j] * Math.sin(angle) + inp[2 * j + 1] * Math.cos(angle));
  }
  return out;
}
