// The shape of a network: what decides its matrices. Letters of the papers: layers L, width d (d_model), heads h, feed-forward
// width d_ff, vocabulary V, context s.

export const activations = ['gelu', 'relu', 'swiglu'] as const;
export const norms = ['layernorm', 'rmsnorm'] as const;
export const positionKinds = ['learned', 'rotary', 'alibi', 'none'] as const;

export type Activation = (typeof activations)[number];
export type Norm = (typeof norms)[number];
export type Positions = (typeof positionKinds)[number];

export interface GptShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` when groups of heads share them. */
  readonly kvHeads: number;
  /** `heads * headDim` is `width`. */
  readonly headDim: number;
  readonly ff: number;
  readonly vocabulary: number;
  /** The most positions there are. */
  readonly context: number;
  readonly activation: Activation;
  readonly norm: Norm;
  readonly positions: Positions;
  /** Features of a head that are rotated; 0 unless positions are rotary. */
  readonly rotaryDim: number;
  /** Attention and MLP of a layer read the same input (GPT-J) instead of one after the other. */
  readonly parallelBlocks: boolean;
  readonly bias: { readonly attention: boolean; readonly mlp: boolean };
  /** The head uses the embedding table. */
  readonly tiedHead: boolean;
}

/** `y = x W`, `in` features to `out` features. */
export interface MatmulShape {
  readonly in: number;
  readonly out: number;
}
