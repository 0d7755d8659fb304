// A GPT-2 of random fp16 weights, at the scale at which activations stay near 1, with random zeros in the matrices of its
// layers.

import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { Gpt, GptConfig, Parameters } from '../../kernels/reference/gpt.ts';
import { drawHalves, uniform } from './draw.ts';

export function randomGpt(config: GptConfig, hidden: number, sparsity: number, seed: number): Gpt {
  const { n_layer, n_embd: C, block_size, vocab_size } = config;
  let part = seed * 1000;
  const zeros = uniform(seed);
  const linear = (out: number, inputs: number): Parameters => ({
    weight: drawHalves(out * inputs, ++part, 1 / Math.sqrt(inputs * (1 - sparsity))).map((w) =>
      zeros() < sparsity ? 0 : w,
    ),
    bias: drawHalves(out, ++part, 0.1),
  });
  const norm = (): Parameters => ({
    weight: drawHalves(C, ++part, 0.1).map((w) => fp16(1 + w)),
    bias: drawHalves(C, ++part, 0.1),
  });
  const wte = drawHalves(vocab_size * C, ++part, 1);
  return {
    config,
    wte,
    wpe: drawHalves(block_size * C, ++part, 0.3),
    h: Array.from({ length: n_layer }, () => ({
      ln_1: norm(),
      attn: { c_attn: linear(3 * C, C), c_proj: linear(C, C) },
      ln_2: norm(),
      mlp: { c_fc: linear(hidden, C), c_proj: linear(C, hidden) },
    })),
    ln_f: norm(),
    lm_head: drawHalves(vocab_size * C, ++part, 1 / Math.sqrt(C)),
  };
}
