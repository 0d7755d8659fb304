// From a document to a ModelSpec: its form (schema.ts), the rules of its kind (gpt.ts, workload.ts), its machine
// (machine.ts). What comes out is complete and frozen.

import { basename } from 'node:path';
import type { Document } from './document.ts';
import { gptOf } from './gpt.ts';
import { failureOf } from './located.ts';
import { resolveMachine } from './machine.ts';
import { valueAt } from './paths.ts';
import { isGptPreset } from './presets.ts';
import { gptDocument, matmulDocument, type GptDocument, type MatmulDocument } from './schema.ts';
import { sparseWeights, type GptSpec, type MappingRequest, type MatmulSpec, type ModelSpec } from './spec.ts';
import { validate } from './validate.ts';
import { matmulWorkloadOf } from './workload.ts';

export function resolveModel(document: Document): ModelSpec {
  const isMatmul = valueAt(document.value, ['kind']) === 'matmul';
  return frozen(isMatmul ? matmulSpec(document) : gptSpec(document));
}

function gptSpec(document: Document): GptSpec {
  const file = validate(document, gptDocument);
  const { name, shape, workload } = gptOf(document, file);
  const preset = isGptPreset(file.preset) ? file.preset : null;
  const sparsity = typeof file.sparsity === 'number' ? { ...uniform, value: file.sparsity } : file.sparsity;
  const chosen: readonly string[] = 'weights' in sparsity ? sparsity.weights : sparseWeights;
  return {
    kind: 'gpt',
    ...commonOf(document, file, name),
    preset,
    shape,
    workload,
    sparsity: { ...sparsity, weights: sparseWeights.filter((weight) => chosen.includes(weight)) },
  };
}

const NOT_OF_MATMULS = [
  ['causal', 'attention'],
  ['gradients', 'training step'],
] as const;

function matmulSpec(document: Document): MatmulSpec {
  const file = validate(document, matmulDocument);
  for (const [field, missing] of NOT_OF_MATMULS) {
    if (valueAt(document.value, ['mapping', field]) === undefined) continue;
    throw failureOf(document, [
      { path: ['mapping', field], on: 'value', text: `a matmul has no ${missing}; leave it out` },
    ]);
  }
  return {
    kind: 'matmul',
    ...commonOf(document, file, null),
    shape: { in: file.in, out: file.out },
    workload: matmulWorkloadOf(document, file),
    sparsity: typeof file.sparsity === 'number' ? { ...uniform, value: file.sparsity } : file.sparsity,
  };
}

/** What the short form of a sparsity means beside its value. */
const uniform = { kind: 'uniform', seed: 1 } as const;

function commonOf(document: Document, file: GptDocument | MatmulDocument, presetName: string | null) {
  const isFile = document.text !== null;
  return {
    name: file.name ?? presetName ?? basename(document.name).replace(/\.jsonc?$/, ''),
    origin: { file: isFile ? document.name : null, flags: document.flags.map(({ text }) => text) },
    machine: resolveMachine(document, ['machine'], file.machine),
    gpu: file.gpu,
    mapping: mappingOf(file),
  };
}

function mappingOf({ mapping }: GptDocument | MatmulDocument): MappingRequest {
  return {
    columns: mapping.columns ?? null,
    groups: mapping.groups ?? null,
    tokensPerPe: mapping.tokensPerPe ?? null,
    accumulators: mapping.accumulators ?? null,
    rows: mapping.rows ?? null,
    accumulate: mapping.accumulate,
    causal: mapping.causal,
    ...(mapping.gradients === undefined ? {} : { gradients: mapping.gradients }),
  };
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
