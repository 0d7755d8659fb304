// model.json: the form of the file and the range of each of its values. Rules between values are in resolve.ts. The limits
// keep every count of the compiler an exact integer; no published model comes near them.

import { z } from 'zod';
import { type MatmulName, matmulNames } from '../../kernels/spmm/accumulators.ts';
import { editorSchema, label } from './label.ts';
import { show } from './located.ts';
import { machineReference } from './machineSchema.ts';
import { gptPresets } from './presets.ts';
import { activations, norms, positionKinds } from './shape.ts';
import { accumulateTypes, gpuNames, recomputations, sparseWeights, workloadKinds } from './spec.ts';
import { unknownValue } from './validate.ts';

const size = (most: number, what: string) => z.int().min(1).max(most).describe(what);
const sizeOrNone = (most: number, what: string) => size(most, what).optional();

const presetNames = Object.keys(gptPresets);

/** A kind that is not there yet is known by name, so that the refusal can say what is missing. */
const workloadKind = z
  .enum(workloadKinds, {
    error: ({ input }) =>
      input === 'decode'
        ? 'not supported, got "decode", allowed "prefill" or "train": this version emulates no decoding'
        : unknownValue(input, workloadKinds),
  })
  .default('prefill')
  .describe('prefill: one forward pass over whole sequences; train: one training step of them, forward and backward');

/** A matrix has no loss to take gradients of. */
const matmulWorkloadKind = z
  .literal('prefill', {
    error: ({ input }) =>
      input === 'train'
        ? 'not supported, got "train", allowed "prefill": a single matrix has no loss; a GPT has one'
        : unknownValue(input, ['prefill']),
  })
  .default('prefill')
  .describe('prefill: one forward pass');

export const recompute = z
  .enum(recomputations, { error: ({ input }) => unknownValue(input, recomputations) })
  .default('layer')
  .describe(
    'of a training step: keep only the input of each layer and run it again on the way back (layer), or all (none)',
  );

const batch = size(2 ** 20, 'sequences; 1 unless given').default(1);
const sequence = size(2 ** 24, 'tokens of each sequence');

const gptWorkload = z
  .strictObject({
    kind: workloadKind,
    recompute,
    batch,
    sequence: sequence.optional().describe('tokens of each sequence; the whole context unless given'),
  })
  .prefault({})
  .describe('what is run; one sequence as long as the context unless given');

const matmulWorkload = z
  .strictObject({
    kind: matmulWorkloadKind,
    tokens: sizeOrNone(2 ** 31 - 1, 'rows of the activations; instead of batch and sequence'),
    batch: batch.unwrap().optional().describe('sequences; 1 unless given'),
    sequence: sequence.optional(),
  })
  .describe('what is run: tokens, or batch and sequence');

const share = z.number().min(0).max(1).describe('share of the weights that are zero: 0 is dense, 1 leaves none');

const sparsityFields = {
  value: share,
  kind: z.literal('uniform').default('uniform').describe('zeros drawn uniformly at random'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('of the random zeros'),
};

const matmulSparsity = z.union([share, z.strictObject(sparsityFields)]).default(0);

const gptSparsity = z
  .union([
    share,
    z.strictObject({
      ...sparsityFields,
      weights: z
        .array(z.enum(sparseWeights))
        .refine(({ length }) => length >= 1 && length <= sparseWeights.length, {
          error: ({ input }) => `wrong length, got ${show(input)}, allowed 1 to ${sparseWeights.length} names`,
        })
        .default([...sparseWeights])
        .describe('the sparse matrices of a layer; embeddings and head stay dense'),
    }),
  ])
  .default(0)
  .describe('0 (dense) unless given');

const MOST_PES = 65_535;
const MOST_SUMS = 2 ** 24;

const accumulatorsOfEach = (names: readonly MatmulName[]) =>
  z.strictObject(
    Object.fromEntries(
      names.map((name) => [name, sizeOrNone(MOST_PES, `of ${name}; the mapper chooses unless given`)]),
    ),
  );

/** What is fixed of the mapping of a model with these matmuls. What is left out the mapper chooses. */
const mappingOfMatmuls = (names: readonly MatmulName[]) =>
  z
    .strictObject({
      $schema: editorSchema,
      columns: sizeOrNone(MOST_PES, 'columns of a group (C)'),
      groups: sizeOrNone(MOST_PES, 'groups of columns side by side, at most'),
      tokensPerPe: sizeOrNone(MOST_PES, 'tokens a PE holds (T)'),
      accumulators: z
        .union([size(MOST_PES, 'of all matmuls'), accumulatorsOfEach(names)])
        .optional()
        .describe('output features a PE sums at a time (K)'),
      rows: sizeOrNone(MOST_PES, 'rows of PEs that are used, at most'),
      accumulate: z.enum(accumulateTypes).default('fp16').describe('type of the sums; fp16 is the peak rate'),
      causal: z.boolean().default(true).describe('attention skips what the causal mask hides'),
      gradients: z
        .strictObject({
          buffers: sizeOrNone(MOST_PES, 'gradients of output features on their way that a PE has room for'),
          sums: sizeOrNone(MOST_SUMS, 'sums of products that it has room for; they make the chunks'),
        })
        .optional()
        .describe('of the gradients by weights of a training step'),
    })
    .describe('what is fixed of a mapping; the mapper chooses the rest');

/** A mapping file, of whatever model. */
export const mappingDocument = mappingOfMatmuls(matmulNames);

const heading = {
  $schema: editorSchema,
  name: label('what reports call the model'),
};

const common = {
  machine: machineReference.default('wse2'),
  gpu: z.enum(gpuNames).default('a100-80gb').describe('the GPU to compare with'),
};

const kind = (own: 'gpt' | 'matmul') =>
  z.literal(own, { error: ({ input }) => unknownValue(input, ['gpt', 'matmul']) });

export const gptDocument = z.strictObject({
  ...heading,
  kind: kind('gpt').default('gpt').describe('a GPT'),
  preset: z.enum(presetNames).optional().describe('a published shape; fields given beside it replace its own'),
  layers: sizeOrNone(1024, 'layers'),
  width: sizeOrNone(2 ** 17, 'features of the residual stream (d_model)'),
  heads: sizeOrNone(2 ** 14, 'heads of attention'),
  kvHeads: sizeOrNone(2 ** 14, 'heads of keys and values; as heads unless given'),
  headDim: sizeOrNone(2 ** 17, 'features of a head; width / heads unless given'),
  ff: sizeOrNone(2 ** 20, 'features inside the MLP (d_ff); 4 x width unless given'),
  vocabulary: sizeOrNone(2 ** 22, 'tokens of the vocabulary'),
  context: sizeOrNone(2 ** 24, 'the most positions'),
  activation: z.enum(activations).optional().describe('gelu unless given'),
  norm: z.enum(norms).optional().describe('layernorm unless given'),
  positions: z.enum(positionKinds).optional().describe('learned unless given'),
  rotaryDim: sizeOrNone(2 ** 17, 'features of a head that are rotated; all unless given'),
  parallelBlocks: z.boolean().optional().describe('attention and MLP read the same input; false unless given'),
  bias: z
    .union([z.boolean(), z.strictObject({ attention: z.boolean().optional(), mlp: z.boolean().optional() })])
    .optional()
    .describe('biases of the linear layers; true unless given'),
  tiedHead: z.boolean().optional().describe('the head uses the embedding table; true unless given'),
  workload: gptWorkload,
  sparsity: gptSparsity,
  mapping: mappingOfMatmuls([...sparseWeights, 'lmHead']).prefault({}),
  ...common,
});

export const matmulDocument = z.strictObject({
  ...heading,
  kind: kind('matmul').describe('one matrix'),
  in: size(2 ** 20, 'input features'),
  out: size(2 ** 20, 'output features'),
  workload: matmulWorkload,
  sparsity: matmulSparsity,
  mapping: mappingOfMatmuls(['matmul']).prefault({}),
  ...common,
});

export type GptDocument = z.output<typeof gptDocument>;
export type MatmulDocument = z.output<typeof matmulDocument>;
