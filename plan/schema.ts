// plan.json: the form of a training plan and the range of each of its values. Rules between values are in resolve.ts.

import { z } from 'zod';
import { editorSchema, label } from '../compiler/model/label.ts';
import { show } from '../compiler/model/located.ts';
import { machineReference } from '../compiler/model/machineSchema.ts';
import { gptDocument, recompute } from '../compiler/model/schema.ts';
import { gpuNames, sparseWeights } from '../compiler/model/spec.ts';

export const dynamicMethods = ['set', 'rigl'] as const;

const size = (most: number, what: string) => z.int().min(1).max(most).describe(what);

/** Steps, sequences and tokens are counted exactly. */
const MOST = 2 ** 50;

const sparsity = gptDocument.shape.sparsity.unwrap();

const lengths = {
  tokens: size(MOST, 'tokens to train on; a step that is begun is done').optional(),
  sequences: size(MOST, 'sequences to train on, instead of tokens').optional(),
  steps: size(MOST, 'optimiser steps, instead of tokens').optional(),
};

function listOf<Item extends z.ZodType>(item: Item, most: number, what: string) {
  return z.array(item).refine(({ length }) => length >= 1 && length <= most, {
    error: ({ input }) => `wrong length, got ${show(input)}, allowed 1 to ${most} ${what}`,
  });
}

const stage = z.strictObject({ ...lengths, sparsity: sparsity.describe('zeros of this stage') });

const dynamic = z.strictObject({
  method: z
    .enum(dynamicMethods)
    .describe(
      'set: weights grow at random; rigl: where gradients are largest, so an update takes those of all weights',
    ),
  every: size(MOST, 'steps from one update of the masks to the next'),
  until: z.number().gt(0).max(1).default(0.75).describe('share of the steps after which masks stay'),
});

const lora = z.strictObject({
  rank: size(2 ** 14, 'features between the two matrices of an adapter'),
  targets: listOf(z.enum(sparseWeights), sparseWeights.length, 'names')
    .default(['qkv'])
    .describe('the matrices of a layer that have adapters; all else is frozen'),
});

const phase = z.strictObject({
  name: label('what the report calls it').unwrap(),
  ...lengths,
  batch: size(2 ** 20, 'sequences of a step, all systems together'),
  sequence: size(2 ** 24, 'tokens of a sequence; the whole context unless given').optional(),
  sparsity: sparsity.optional().describe('zeros; those of the plan unless given'),
  stages: listOf(stage, 1000, 'stages')
    .optional()
    .describe('parts with zeros of their own, one after the other (redensification); instead of tokens and sparsity'),
  dynamic: dynamic.optional().describe('dynamic sparse training: zeros move, their share stays'),
  lora: lora.optional().describe('train adapters, not the model'),
});

export const planDocument = z.strictObject({
  $schema: editorSchema,
  name: label('what the report calls the plan'),
  model: z
    .union([z.string(), gptDocument])
    .describe('a preset, a model file, or a model; its workload counts for nothing here'),
  machine: machineReference.optional().describe('the one of the model unless given'),
  gpu: z.enum(gpuNames).optional().describe('the GPU to compare with; the one of the model unless given'),
  systems: size(2 ** 16, 'wafers that share a batch; 1 unless given').default(1),
  recompute,
  sparsity: sparsity.optional().describe('of phases that do not say; that of the model unless given'),
  phases: listOf(phase, 1000, 'phases').describe('one after the other'),
});

export type PlanDocument = z.output<typeof planDocument>;
export type PhaseDocument = PlanDocument['phases'][number];

export function planJsonSchema(): object {
  return { title: 'plan', ...z.toJSONSchema(planDocument, { target: 'draft-7', io: 'input' }) };
}
