// Small models and machines for the tests of compiler and run: a few hundred PEs, all of which the stepped engine can run.

import { buildGraph } from '../../compiler/graph/build.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parseDocument } from '../../compiler/model/document.ts';
import { resolveModel } from '../../compiler/model/resolve.ts';
import type { MappingRequest, ModelSpec } from '../../compiler/model/spec.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import type { Machine } from '../../emulator/machine/spec.ts';

/** As GPT-2: learned positions, LayerNorm, GELU, biases. */
export const gptLike = { layers: 1, width: 24, heads: 4, ff: 40, vocabulary: 50, context: 64, sparsity: 0.6 } as const;

/** As LLaMA: rotary positions, RMSNorm, SwiGLU, no biases, and heads that share keys and values. */
export const llamaLike = {
  ...gptLike,
  kvHeads: 2,
  ff: 33,
  activation: 'swiglu',
  norm: 'rmsnorm',
  positions: 'rotary',
  bias: false,
} as const;

/** As GPT-J: attention and MLP side by side, half of a head's features turned, biases in the MLP only. */
export const gptJLike = {
  ...gptLike,
  width: 32,
  positions: 'rotary',
  rotaryDim: 4,
  parallelBlocks: true,
  bias: { attention: false, mlp: true },
} as const;

export function specOf(file: Readonly<Record<string, unknown>>): ModelSpec {
  return resolveModel(parseDocument('tiny.json', JSON.stringify(file)));
}

export function graphOf(
  file: Readonly<Record<string, unknown>>,
  batch: number,
  sequence: number,
  workload: Readonly<Record<string, unknown>> = {},
): Graph {
  return buildGraph(specOf({ ...file, workload: { batch, sequence, ...workload } }));
}

/** The WSE-2 on a small fabric. */
export function waferOf(width: number, height: number): Machine {
  const { machine } = machinePresets.wse2;
  return { ...machine, fabric: { ...machine.fabric, width, height } };
}

export const anyMapping: MappingRequest = {
  columns: null,
  groups: null,
  tokensPerPe: null,
  accumulators: null,
  rows: null,
  accumulate: 'fp16',
  causal: true,
};
