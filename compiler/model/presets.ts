// The shapes that a model.json can start from, as data. `parameters` is the size that their makers publish, as a check on
// the rest. Only what differs from the defaults of a family is said with each.
//
// GPT-2: Radford et al. 2019 and the released checkpoints. GPT-3: Brown et al. 2020, Table 2.1, with its two misprints put
// right (XL: 16 heads of 128, not 24; 13B: width 5120, not 5140); all attention is dense here, where the original has
// every other layer banded. Cerebras-GPT: Dey et al. 2023 and the maker's public configurations. GPT-J: the released
// 6B checkpoint, which pads the vocabulary to 50400 (its tokenizer knows 50257), has no biases in attention and one on the
// head, which is not modelled (50400 of 6.05e9 parameters). LLaMA: Touvron et al. 2023, 7B.

import type { GptShape } from './shape.ts';

/** A shape before its derived fields: `kvHeads` and `headDim` follow from heads and width; rotaryDim `null` is a whole head. */
export type PresetShape = Omit<GptShape, 'kvHeads' | 'headDim' | 'rotaryDim'> & { readonly rotaryDim: number | null };

export interface GptPreset {
  readonly shape: PresetShape;
  readonly parameters: number;
  readonly source: string;
}

const learnedGpt = {
  activation: 'gelu',
  norm: 'layernorm',
  positions: 'learned',
  rotaryDim: null,
  parallelBlocks: false,
  bias: { attention: true, mlp: true },
  tiedHead: true,
  vocabulary: 50_257,
} as const;

type Family = Omit<PresetShape, 'layers' | 'width' | 'heads' | 'ff'>;

/** A preset of a family whose MLP is four times as wide as the model. */
function sized(family: Family, source: string) {
  return (layers: number, width: number, heads: number, parameters: number): GptPreset => ({
    shape: { ...family, layers, width, heads, ff: 4 * width },
    parameters,
    source,
  });
}

const gpt2 = sized({ ...learnedGpt, context: 1024 }, 'Radford et al. 2019, released checkpoints');
const gpt3 = sized({ ...learnedGpt, context: 2048 }, 'Brown et al. 2020, Table 2.1');
const cerebrasGpt = sized({ ...learnedGpt, context: 2048 }, 'Dey et al. 2023');

const gptJ: GptPreset = {
  shape: {
    ...learnedGpt,
    layers: 28,
    width: 4096,
    heads: 16,
    ff: 16_384,
    vocabulary: 50_400,
    context: 2048,
    positions: 'rotary',
    rotaryDim: 64,
    parallelBlocks: true,
    bias: { attention: false, mlp: true },
    tiedHead: false,
  },
  parameters: 6.05e9,
  source: 'EleutherAI GPT-J 6B, released checkpoint; vocabulary padded from 50257',
};

const llama7b: GptPreset = {
  shape: {
    layers: 32,
    width: 4096,
    heads: 32,
    ff: 11_008,
    vocabulary: 32_000,
    context: 2048,
    activation: 'swiglu',
    norm: 'rmsnorm',
    positions: 'rotary',
    rotaryDim: null,
    parallelBlocks: false,
    bias: { attention: false, mlp: false },
    tiedHead: false,
  },
  parameters: 6.74e9,
  source: 'Touvron et al. 2023, LLaMA 7B',
};

export const gptPresets = {
  'gpt2-small': gpt2(12, 768, 12, 124e6),
  'gpt2-medium': gpt2(24, 1024, 16, 355e6),
  'gpt2-large': gpt2(36, 1280, 20, 774e6),
  'gpt2-xl': gpt2(48, 1600, 25, 1558e6),
  'gpt3-small': gpt3(12, 768, 12, 125e6),
  'gpt3-medium': gpt3(24, 1024, 16, 350e6),
  'gpt3-large': gpt3(24, 1536, 16, 760e6),
  'gpt3-xl': gpt3(24, 2048, 16, 1.3e9),
  'gpt3-2.7b': gpt3(32, 2560, 32, 2.7e9),
  'gpt3-6.7b': gpt3(32, 4096, 32, 6.7e9),
  'gpt3-13b': gpt3(40, 5120, 40, 13e9),
  'gpt3-175b': gpt3(96, 12_288, 96, 175e9),
  'gpt-j': gptJ,
  'cerebras-gpt-111m': cerebrasGpt(10, 768, 12, 111e6),
  'cerebras-gpt-256m': cerebrasGpt(14, 1088, 17, 256e6),
  'cerebras-gpt-590m': cerebrasGpt(18, 1536, 12, 590e6),
  'cerebras-gpt-1.3b': cerebrasGpt(24, 2048, 16, 1.3e9),
  'cerebras-gpt-2.7b': cerebrasGpt(32, 2560, 32, 2.7e9),
  'cerebras-gpt-6.7b': cerebrasGpt(32, 4096, 32, 6.7e9),
  'cerebras-gpt-13b': cerebrasGpt(40, 5120, 40, 13e9),
  'llama-7b': llama7b,
} as const satisfies Record<string, GptPreset>;

export type GptPresetName = keyof typeof gptPresets;

export function isGptPreset(name: string | undefined): name is GptPresetName {
  return name !== undefined && Object.hasOwn(gptPresets, name);
}
