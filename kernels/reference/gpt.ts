// The forward pass of a GPT-2 in plain loops, activations rounded to fp32. Names are nanoGPT's; weights of linear layers
// are [out][in], as in its checkpoints. B = 1: one sequence at a time.

import { attention } from './attention.ts';
import { gelu } from './elementwise.ts';
import { layerNorm } from './layerNorm.ts';

export interface GptConfig {
  readonly n_layer: number;
  readonly n_head: number;
  readonly n_embd: number;
  readonly block_size: number;
  readonly vocab_size: number;
}

/** LayerNorm's weight and bias [n_embd]; a linear layer's [out][in] and [out]. */
export interface Parameters {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export interface Block {
  readonly ln_1: Parameters;
  readonly attn: { readonly c_attn: Parameters; readonly c_proj: Parameters };
  readonly ln_2: Parameters;
  readonly mlp: { readonly c_fc: Parameters; readonly c_proj: Parameters };
}

export interface Gpt {
  readonly config: GptConfig;
  /** [vocab_size][n_embd] and [block_size][n_embd]. */
  readonly wte: Float32Array;
  readonly wpe: Float32Array;
  readonly h: readonly Block[];
  readonly ln_f: Parameters;
  /** [vocab_size][n_embd]; `wte` itself where tied. */
  readonly lm_head: Float32Array;
}

export const LAYER_NORM_EPSILON = 1e-5;

function norm(x: Float32Array, { weight, bias }: Parameters, T: number): Float32Array {
  const C = weight.length;
  return Float32Array.from(layerNorm(x, T, C, LAYER_NORM_EPSILON), (value, i) => value * weight[i % C] + bias[i % C]);
}

function linear(x: Float32Array, weight: Float32Array, bias: Float32Array | null, T: number): Float32Array {
  const C = x.length / T;
  const OC = weight.length / C;
  const out = new Float32Array(T * OC);
  for (let t = 0; t < T; t++)
    for (let o = 0; o < OC; o++) {
      let sum = bias === null ? 0 : bias[o];
      for (let c = 0; c < C; c++) sum += x[t * C + c] * weight[o * C + c];
      out[t * OC + o] = sum;
    }
  return out;
}

function attend(x: Float32Array, { c_attn, c_proj }: Block['attn'], T: number, n_head: number): Float32Array {
  const C = x.length / T;
  const qkv = linear(x, c_attn.weight, c_attn.bias, T);
  const part = (first: number): Float32Array =>
    Float32Array.from({ length: T * C }, (_, i) => qkv[Math.floor(i / C) * 3 * C + first + (i % C)]);
  const y = Float32Array.from(attention(part(0), part(C), part(2 * C), T, n_head, C / n_head, true));
  return linear(y, c_proj.weight, c_proj.bias, T);
}

/** Logits [T][vocab_size] of the tokens idx [T]. */
export function forward(gpt: Gpt, idx: ArrayLike<number>): Float32Array {
  const { n_embd: C, n_head } = gpt.config;
  const T = idx.length;
  let x = new Float32Array(T * C);
  for (let t = 0; t < T; t++) for (let c = 0; c < C; c++) x[t * C + c] = gpt.wte[idx[t] * C + c] + gpt.wpe[t * C + c];
  const add = (y: Float32Array): void => {
    x = x.map((value, i) => value + y[i]);
  };
  for (const { ln_1, attn, ln_2, mlp } of gpt.h) {
    add(attend(norm(x, ln_1, T), attn, T, n_head));
    const fc = linear(norm(x, ln_2, T), mlp.c_fc.weight, mlp.c_fc.bias, T);
    add(linear(Float32Array.from(gelu(fc)), mlp.c_proj.weight, mlp.c_proj.bias, T));
  }
  return linear(norm(x, gpt.ln_f, T), gpt.lm_head, null, T);
}
