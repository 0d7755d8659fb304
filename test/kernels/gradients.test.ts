// The reference gradients against central differences in double precision: of every operator, of a block, of a whole GPT.
//
// A central difference with step h is off by h^2 / 6 of the third derivative, and by the rounding of the loss over h:
// with h = 1e-5 and values near 1 both are below 1e-9.

import { describe, expect, test } from 'vitest';
import { attention } from '../../kernels/reference/attention.ts';
import { attentionBackward } from '../../kernels/reference/attentionBackward.ts';
import { crossEntropy, crossEntropyBackward } from '../../kernels/reference/crossEntropy.ts';
import * as elementwise from '../../kernels/reference/elementwise.ts';
import * as backward from '../../kernels/reference/elementwiseBackward.ts';
import { forward, type GptConfig } from '../../kernels/reference/gpt.ts';
import { block, type BlockOf, type GptOf, gptGradients } from '../../kernels/reference/gptBackward.ts';
import { layerNorm, rmsNorm } from '../../kernels/reference/layerNorm.ts';
import { gainBackward, layerNormBackward, rmsNormBackward } from '../../kernels/reference/layerNormBackward.ts';
import { linear, linearBackward } from '../../kernels/reference/linear.ts';
import { uniform } from './draw.ts';
import { randomGpt } from './randomGpt.ts';

const STEP = 1e-5;
const TOLERANCE = 1e-8;

function drawDoubles(count: number, seed: number): Float64Array {
  const next = uniform(seed);
  return Float64Array.from({ length: count }, () => 2 * next() - 1);
}

/** A number made of many: the sum of the values weighted by `dout`. */
function weighted(values: ArrayLike<number>, dout: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < dout.length; i++) sum += values[i] * dout[i];
  return sum;
}

/** (f(at + h) - f(at - h)) / 2h by number i of `values`, which is put back. */
function difference(values: Float64Array, i: number, f: () => number): number {
  const at = values[i];
  values[i] = at + STEP;
  const above = f();
  values[i] = at - STEP;
  const below = f();
  values[i] = at;
  return (above - below) / (2 * STEP);
}

/** `got` is the gradient of f by `values`, everywhere or at every `stride`-th number. */
function expectGradient(got: ArrayLike<number>, values: Float64Array, f: () => number, stride = 1): void {
  expect(got).toHaveLength(values.length);
  for (let i = 0; i < values.length; i += stride)
    expect(Math.abs(got[i] - difference(values, i, f))).toBeLessThan(TOLERANCE);
}

describe('elementwise', () => {
  const inp = drawDoubles(40, 1).map((x) => 3 * x);
  const dout = drawDoubles(40, 2);

  test.each([
    { name: 'gelu', of: elementwise.gelu, gradient: backward.geluBackward },
    { name: 'relu', of: elementwise.relu, gradient: backward.reluBackward },
  ])('$name', ({ of, gradient }) => {
    expectGradient(gradient(inp, dout), inp, () => weighted(of(inp), dout));
  });

  test('swiglu, by gate and by up', () => {
    const up = drawDoubles(40, 3);
    const got = backward.swigluBackward(inp, up, dout);
    const f = () => weighted(elementwise.swiglu(inp, up), dout);
    expectGradient(got.gate, inp, f);
    expectGradient(got.up, up, f);
  });

  test('rotary', () => {
    const got = backward.rotaryBackward(dout, 17);
    expectGradient(got, inp, () => weighted(elementwise.rotary(inp, 17), dout));
  });
});

describe('norms', () => {
  const [N, C, epsilon] = [3, 7, 1e-5];
  const inp = drawDoubles(N * C, 4);
  const dout = drawDoubles(N * C, 5);

  test('LayerNorm', () =>
    expectGradient(layerNormBackward(inp, dout, N, C, epsilon), inp, () =>
      weighted(layerNorm(inp, N, C, epsilon), dout),
    ));

  test('RMSNorm', () =>
    expectGradient(rmsNormBackward(inp, dout, N, C, epsilon), inp, () => weighted(rmsNorm(inp, N, C, epsilon), dout)));

  test('gain and bias', () => {
    const [gain, bias] = [drawDoubles(C, 6), drawDoubles(C, 7)];
    const got = gainBackward(inp, dout, N, C);
    const f = () =>
      weighted(
        inp.map((x, i) => x * gain[i % C] + bias[i % C]),
        dout,
      );
    expectGradient(got.weight, gain, f);
    expectGradient(got.bias, bias, f);
  });
});

test('a linear layer: by its input, its weights and its bias', () => {
  const [T, C, OC] = [4, 6, 5];
  const [x, weight, bias, dout] = [T * C, OC * C, OC, T * OC].map((count, i) => drawDoubles(count, 15 + i));
  const got = linearBackward(x, weight, dout, T);
  const f = () => weighted(linear(x, weight, bias, T), dout);
  expectGradient(got.dinp, x, f);
  expectGradient(got.weight, weight, f);
  expectGradient(got.bias, bias, f);
});

test.each([true, false])('attention, causal %s', (causal) => {
  const [T, H, headDim] = [6, 2, 3];
  const [q, k, v, dout] = [8, 9, 10, 11].map((seed) => drawDoubles(T * H * headDim, seed));
  const got = attentionBackward(q, k, v, dout, T, H, headDim, causal);
  const f = () => weighted(attention(q, k, v, T, H, headDim, causal), dout);
  expectGradient(got.q, q, f);
  expectGradient(got.k, k, f);
  expectGradient(got.v, v, f);
});

test('cross-entropy', () => {
  const [N, V] = [4, 9];
  const logits = drawDoubles(N * V, 12).map((x) => 3 * x);
  const targets = [0, 8, 3, 3];
  expectGradient(crossEntropyBackward(logits, targets, V), logits, () => crossEntropy(logits, targets, V));
});

const HIDDEN = 20;
const config: GptConfig = { n_layer: 2, n_head: 2, n_embd: 8, block_size: 6, vocab_size: 11 };
const halves = randomGpt(config, HIDDEN, 0.5, 3);
const doubles = (values: Float32Array): Float64Array => Float64Array.from(values);
const blocks = halves.h.map(
  ({ ln_1, attn, ln_2, mlp }): BlockOf<Float64Array> => ({
    ln_1: { weight: doubles(ln_1.weight), bias: doubles(ln_1.bias) },
    attn: {
      c_attn: { weight: doubles(attn.c_attn.weight), bias: doubles(attn.c_attn.bias) },
      c_proj: { weight: doubles(attn.c_proj.weight), bias: doubles(attn.c_proj.bias) },
    },
    ln_2: { weight: doubles(ln_2.weight), bias: doubles(ln_2.bias) },
    mlp: {
      c_fc: { weight: doubles(mlp.c_fc.weight), bias: doubles(mlp.c_fc.bias) },
      c_proj: { weight: doubles(mlp.c_proj.weight), bias: doubles(mlp.c_proj.bias) },
    },
  }),
);
const gpt: GptOf<Float64Array> & { readonly config: GptConfig } = {
  config,
  wte: doubles(halves.wte),
  wpe: doubles(halves.wpe),
  h: blocks,
  ln_f: { weight: doubles(halves.ln_f.weight), bias: doubles(halves.ln_f.bias) },
  lm_head: doubles(halves.lm_head),
};

/** Pairs of the same array in a gradient and in what it is by. */
function pairsOf(got: BlockOf<Float64Array>, of: BlockOf<Float64Array>): (readonly [Float64Array, Float64Array])[] {
  const operators = [
    [got.ln_1, of.ln_1],
    [got.attn.c_attn, of.attn.c_attn],
    [got.attn.c_proj, of.attn.c_proj],
    [got.ln_2, of.ln_2],
    [got.mlp.c_fc, of.mlp.c_fc],
    [got.mlp.c_proj, of.mlp.c_proj],
  ];
  return operators.flatMap(([a, b]) => [[a.weight, b.weight] as const, [a.bias, b.bias] as const]);
}

test('a block: by its input and by each of its 12 arrays of parameters', () => {
  const T = 5;
  const x = drawDoubles(T * config.n_embd, 13);
  const dout = drawDoubles(T * config.n_embd, 14);
  const { dinp, grads } = block(x, blocks[0], T, config.n_head).back(dout);
  const f = () => weighted(block(x, blocks[0], T, config.n_head).out, dout);
  expectGradient(dinp, x, f);
  const pairs = pairsOf(grads, blocks[0]);
  expect(pairs).toHaveLength(12);
  for (const [got, values] of pairs) expectGradient(got, values, f, 3);
});

describe('a whole GPT', () => {
  const idx = [1, 4, 4, 10, 0, 7];
  const targets = [4, 4, 10, 0, 7, 2];
  const { loss, logits, grads } = gptGradients(gpt, idx, targets);
  const f = () => gptGradients(gpt, idx, targets).loss;

  test('has the logits of the forward reference, which rounds to fp32', () => {
    forward(halves, idx).forEach((value, i) => {
      expect(Math.abs(logits[i] - value)).toBeLessThan(1e-5);
    });
    expect(loss).toBe(crossEntropy(logits, targets, config.vocab_size));
  });

  test('the loss falls by its gradients', () => {
    expectGradient(grads.wte, gpt.wte, f, 5);
    expectGradient(grads.wpe, gpt.wpe, f, 5);
    expectGradient(grads.ln_f.weight, gpt.ln_f.weight, f);
    expectGradient(grads.ln_f.bias, gpt.ln_f.bias, f);
    expectGradient(grads.lm_head, gpt.lm_head, f, 5);
    grads.h.forEach((got, l) => {
      for (const [a, b] of pairsOf(got, blocks[l])) expectGradient(a, b, f, 11);
    });
  });

  test('a gradient of the wrong sign is found', () => {
    const wrong = grads.lm_head.map((value, i) => (i === 5 ? -value : value));
    expect(() => expectGradient(wrong, gpt.lm_head, f, 5)).toThrow();
  });
});
