// How many parameters a GPT has, counted from its shape: embeddings, layers, last norm, head.

import type { GptShape } from './shape.ts';

export function parameterCount(shape: GptShape): number {
  const { layers, width, vocabulary, context, tiedHead, positions } = shape;
  const embeddings = vocabulary * width + (positions === 'learned' ? context * width : 0);
  const head = tiedHead ? 0 : vocabulary * width;
  return embeddings + layers * layerParameters(shape) + normParameters(shape) + head;
}

function layerParameters(shape: GptShape): number {
  const { width, heads, kvHeads, headDim, ff, activation, bias, parallelBlocks } = shape;
  const qkv = (heads + 2 * kvHeads) * headDim;
  const intoMlp = activation === 'swiglu' ? 2 * ff : ff;
  const attention = width * qkv + heads * headDim * width + (bias.attention ? qkv + width : 0);
  const mlp = width * intoMlp + ff * width + (bias.mlp ? intoMlp + width : 0);
  // Parallel blocks share one norm.
  return attention + mlp + (parallelBlocks ? 1 : 2) * normParameters(shape);
}

function normParameters({ width, norm }: GptShape): number {
  return norm === 'layernorm' ? 2 * width : width;
}
