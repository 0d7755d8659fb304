// The loss of a GPT-2 and its gradients by every parameter, in plain loops and double precision: the forward pass of gpt.ts
// again, keeping what the backward pass needs, then block by block back. Shapes and names are those of gpt.ts; the
// parameters may be of any precision, so that a difference quotient can move them.

import { attention } from './attention.ts';
import { attentionBackward } from './attentionBackward.ts';
import { crossEntropy, crossEntropyBackward } from './crossEntropy.ts';
import { gelu } from './elementwise.ts';
import { geluBackward } from './elementwiseBackward.ts';
import { type GptConfig, LAYER_NORM_EPSILON } from './gpt.ts';
import { layerNorm } from './layerNorm.ts';
import { gainBackward, layerNormBackward } from './layerNormBackward.ts';
import { linear as linearForward, linearBackward } from './linear.ts';

/** `Parameters`, `Block` and `Gpt` of gpt.ts with numbers of type `Numbers`. */
export interface ParametersOf<Numbers> {
  readonly weight: Numbers;
  readonly bias: Numbers;
}

export interface BlockOf<Numbers> {
  readonly ln_1: ParametersOf<Numbers>;
  readonly attn: { readonly c_attn: ParametersOf<Numbers>; readonly c_proj: ParametersOf<Numbers> };
  readonly ln_2: ParametersOf<Numbers>;
  readonly mlp: { readonly c_fc: ParametersOf<Numbers>; readonly c_proj: ParametersOf<Numbers> };
}

export interface GptOf<Numbers> {
  readonly wte: Numbers;
  readonly wpe: Numbers;
  readonly h: readonly BlockOf<Numbers>[];
  readonly ln_f: ParametersOf<Numbers>;
  readonly lm_head: Numbers;
}

type Numbers = ArrayLike<number>;

/** An operator's output, and what it does to a gradient by it: the gradient by its input, its parameters' kept aside. */
interface Step<Gradients> {
  readonly out: Float64Array;
  readonly back: (dout: Float64Array) => { readonly dinp: Float64Array; readonly grads: Gradients };
}

type ParameterGradients = ParametersOf<Float64Array>;

function plus(a: Numbers, b: Numbers): Float64Array {
  return Float64Array.from(a, (value, i) => value + b[i]);
}

function norm(x: Float64Array, { weight, bias }: ParametersOf<Numbers>, T: number): Step<ParameterGradients> {
  const C = weight.length;
  const normalised = layerNorm(x, T, C, LAYER_NORM_EPSILON);
  return {
    out: Float64Array.from(normalised, (value, i) => value * weight[i % C] + bias[i % C]),
    back: (dout) => {
      const scaled = dout.map((value, i) => value * weight[i % C]);
      const dinp = Float64Array.from(layerNormBackward(x, scaled, T, C, LAYER_NORM_EPSILON));
      return { dinp, grads: gainBackward(normalised, dout, T, C) };
    },
  };
}

function linear(x: Float64Array, weight: Numbers, bias: Numbers | null, T: number): Step<ParameterGradients> {
  return {
    out: linearForward(x, weight, bias, T),
    back: (dout) => {
      const { dinp, ...grads } = linearBackward(x, weight, dout, T);
      return { dinp, grads };
    },
  };
}

function attend(
  x: Float64Array,
  { c_attn, c_proj }: BlockOf<Numbers>['attn'],
  T: number,
  n_head: number,
): Step<BlockOf<Float64Array>['attn']> {
  const C = x.length / T;
  const qkv = linear(x, c_attn.weight, c_attn.bias, T);
  const [q, k, v] = [0, 1, 2].map((part) =>
    Float64Array.from({ length: T * C }, (_, i) => qkv.out[Math.floor(i / C) * 3 * C + part * C + (i % C)]),
  );
  const y = attention(q, k, v, T, n_head, C / n_head, true);
  const proj = linear(y, c_proj.weight, c_proj.bias, T);
  return {
    out: proj.out,
    back: (dout) => {
      const ofProj = proj.back(dout);
      const grads = attentionBackward(q, k, v, ofProj.dinp, T, n_head, C / n_head, true);
      const parts = [grads.q, grads.k, grads.v];
      const dqkv = Float64Array.from(
        { length: 3 * T * C },
        (_, i) => parts[Math.floor(i / C) % 3][Math.floor(i / (3 * C)) * C + (i % C)],
      );
      const ofQkv = qkv.back(dqkv);
      return { dinp: ofQkv.dinp, grads: { c_attn: ofQkv.grads, c_proj: ofProj.grads } };
    },
  };
}

function mlp(
  x: Float64Array,
  { c_fc, c_proj }: BlockOf<Numbers>['mlp'],
  T: number,
): Step<BlockOf<Float64Array>['mlp']> {
  const fc = linear(x, c_fc.weight, c_fc.bias, T);
  const proj = linear(Float64Array.from(gelu(fc.out)), c_proj.weight, c_proj.bias, T);
  return {
    out: proj.out,
    back: (dout) => {
      const ofProj = proj.back(dout);
      const ofFc = fc.back(Float64Array.from(geluBackward(fc.out, ofProj.dinp)));
      return { dinp: ofFc.dinp, grads: { c_fc: ofFc.grads, c_proj: ofProj.grads } };
    },
  };
}

/** One block of x [T][n_embd], and its gradients. */
export function block(
  x: Float64Array,
  parameters: BlockOf<Numbers>,
  T: number,
  n_head: number,
): Step<BlockOf<Float64Array>> {
  const ln_1 = norm(x, parameters.ln_1, T);
  const attn = attend(ln_1.out, parameters.attn, T, n_head);
  const middle = plus(x, attn.out);
  const ln_2 = norm(middle, parameters.ln_2, T);
  const hidden = mlp(ln_2.out, parameters.mlp, T);
  return {
    out: plus(middle, hidden.out),
    back: (dout) => {
      const ofMlp = hidden.back(dout);
      const ofLn2 = ln_2.back(ofMlp.dinp);
      const dmiddle = plus(dout, ofLn2.dinp);
      const ofAttn = attn.back(dmiddle);
      const ofLn1 = ln_1.back(ofAttn.dinp);
      const grads = { ln_1: ofLn1.grads, attn: ofAttn.grads, ln_2: ofLn2.grads, mlp: ofMlp.grads };
      return { dinp: plus(dmiddle, ofLn1.dinp), grads };
    },
  };
}

export interface GptGradients {
  readonly loss: number;
  readonly logits: Float64Array;
  /** `lm_head` apart from `wte`, also where the two are one matrix. */
  readonly grads: GptOf<Float64Array>;
}

/** The loss of one sequence idx [T] whose next tokens are targets [T]. */
export function gptGradients(
  gpt: GptOf<Numbers> & { readonly config: GptConfig },
  idx: ArrayLike<number>,
  targets: ArrayLike<number>,
): GptGradients {
  const { n_embd: C, n_head, vocab_size } = gpt.config;
  const T = idx.length;
  let x = new Float64Array(T * C);
  for (let t = 0; t < T; t++) for (let c = 0; c < C; c++) x[t * C + c] = gpt.wte[idx[t] * C + c] + gpt.wpe[t * C + c];
  const blocks = gpt.h.map((parameters) => {
    const step = block(x, parameters, T, n_head);
    x = Float64Array.from(step.out);
    return step;
  });
  const ln_f = norm(x, gpt.ln_f, T);
  const head = linear(ln_f.out, gpt.lm_head, null, T);

  const ofHead = head.back(crossEntropyBackward(head.out, targets, vocab_size));
  const ofLnF = ln_f.back(ofHead.dinp);
  let dx = ofLnF.dinp;
  const h: BlockOf<Float64Array>[] = [];
  for (const step of blocks.toReversed()) {
    const { dinp, grads } = step.back(dx);
    dx = dinp;
    h.unshift(grads);
  }
  const wte = new Float64Array(gpt.wte.length);
  const wpe = new Float64Array(gpt.wpe.length);
  for (let t = 0; t < T; t++)
    for (let c = 0; c < C; c++) {
      wte[idx[t] * C + c] += dx[t * C + c];
      wpe[t * C + c] += dx[t * C + c];
    }
  return {
    loss: crossEntropy(head.out, targets, vocab_size),
    logits: head.out,
    grads: { wte, wpe, h, ln_f: ofLnF.grads, lm_head: ofHead.grads.weight },
  };
}
