// A golden file, `*.golden.json`: what is run, and under `result` what it must come to. The first part is written by people
// and may have comments; the second by `emulate check --update`, which leaves the first as it is. Every number of the
// result may be missing, so that the comparison, not the reader, says which.

import { z } from 'zod';
import { type Document, readDocument } from '../../compiler/model/document.ts';
import { failureOf } from '../../compiler/model/located.ts';
import { machineNames } from '../../compiler/model/machineSchema.ts';
import { accumulateTypes } from '../../compiler/model/spec.ts';
import { validate } from '../../compiler/model/validate.ts';
import { CAUSES } from '../../emulator/program/causes.ts';

export const GOLDEN_FORMAT = 'wafer-emulator golden 1';

export const GOLDEN_ENDING = '.golden.json';

const count = z.number().min(0);

const where = z.partialRecord(z.enum(CAUSES), count);

const values = z.record(z.string(), z.unknown());

const result = z.strictObject({
  inputs: values.optional(),
  machine: values.optional(),
  mapping: values.optional(),
  cycles: count.optional(),
  where: where.optional(),
  operators: z
    .record(z.string(), z.strictObject({ layers: count.optional(), cycles: count.optional(), where: where.optional() }))
    .optional(),
  hash: z.string().optional(),
});

/** The flags of `emulate kernel` but for the machine. */
export const kernelFlags = {
  name: z.enum(['spmm', 'weightGradient', 'chainReduce', 'broadcast']),
  accumulate: z.enum(accumulateTypes).default('fp16'),
  rows: count.optional(),
  cols: count.optional(),
  in: count.optional(),
  out: count.optional(),
  sparsity: count.optional(),
  tokens: count.optional(),
  accumulators: count.optional(),
  seed: count.optional(),
  width: count.optional(),
  wavelets: count.optional(),
} as const;

/** A kernel by the file of its cases, or by flags. */
const kernel = z.union([
  z.strictObject({ spec: z.string().describe('a file of cases, from the folder of the golden') }),
  z.strictObject({ ...kernelFlags, machine: z.enum(machineNames) }),
]);

const golden = z.strictObject({
  $schema: z.string().optional(),
  format: z.literal(GOLDEN_FORMAT),
  note: z.string().optional(),
  model: z.string().optional().describe('a preset, or a model file from the folder of the golden'),
  kernel: kernel.optional(),
  set: z.array(z.string()).default([]).describe('path=value, as of --set'),
  tolerance: z
    .record(z.string(), z.number().min(0).max(1))
    .default({})
    .describe(
      'share by which a number may move: cycles, where, where.done, operators.lm_head, operators.lm_head.cycles',
    ),
  result: result.optional(),
});

export type GoldenContent = z.output<typeof golden>;

export type KernelOfGolden = z.output<typeof kernel>;

export type StoredResult = z.output<typeof result>;

/** What a golden says to run: one of the two. */
export type Run = { readonly model: string } | { readonly kernel: KernelOfGolden };

export interface Golden {
  readonly document: Document;
  readonly run: Run;
  readonly set: readonly string[];
  readonly tolerance: Readonly<Record<string, number>>;
  /** Absent in a golden that has only been begun. */
  readonly result: StoredResult | undefined;
}

export function readGolden(file: string): Golden {
  const document = readDocument(file);
  const content = validate(document, golden);
  const { set, tolerance, result } = content;
  return { document, run: runOf(document, content), set, tolerance, result };
}

function runOf(document: Document, { model, kernel }: GoldenContent): Run {
  if (model !== undefined && kernel === undefined) return { model };
  if (model === undefined && kernel !== undefined) return { kernel };
  const got = model === undefined ? 'neither' : 'both';
  const text = `got ${got} of "model" and "kernel", allowed one of them: what is run`;
  throw failureOf(document, [{ path: [], on: 'value', text }]);
}
