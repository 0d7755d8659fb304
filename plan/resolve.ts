// From plan.json to a Plan: its form (schema.ts), its model (model.ts), and the rules between values, each fault said with
// file, line and column.

import { basename } from 'node:path';
import { type Document, readDocument } from '../compiler/model/document.ts';
import { failureOf, type Issue, show } from '../compiler/model/located.ts';
import { resolveMachine } from '../compiler/model/machine.ts';
import { applyOverrides, type Overrides } from '../compiler/model/overrides.ts';
import type { Path } from '../compiler/model/paths.ts';
import { type GptSparsity, type GptSpec, sparseWeights } from '../compiler/model/spec.ts';
import { validate } from '../compiler/model/validate.ts';
import { modelOf } from './model.ts';
import type { Phase, PhaseKind, Plan, Stage } from './plan.ts';
import { type PhaseDocument, planDocument, type PlanDocument } from './schema.ts';

/** Throws an EmulateError (exit 2) that says where the file or the flags are wrong. */
export function loadPlan(file: string, overrides: Overrides = {}): Plan {
  return resolvePlan(applyOverrides(readDocument(file), overrides));
}

export function resolvePlan(document: Document): Plan {
  const file = validate(document, planDocument);
  const own = modelOf(document, file.model);
  const machine = file.machine === undefined ? own.machine : resolveMachine(document, ['machine'], file.machine);
  const model = { ...own, machine, gpu: file.gpu ?? own.gpu };
  const issues = file.phases.flatMap((phase, i) => [...brokenRules(phase, ['phases', i], file, model)]);
  if (issues.length > 0) throw failureOf(document, issues);
  const standing = sparsityOf(file.sparsity) ?? model.sparsity;
  return {
    name: file.name ?? basename(document.name).replace(/\.jsonc?$/, ''),
    origin: { file: document.name, flags: document.flags.map(({ text }) => text) },
    model,
    systems: file.systems,
    recompute: file.recompute,
    phases: file.phases.map((phase) => phaseOf(phase, model, standing)),
  };
}

function phaseOf(phase: PhaseDocument, { shape }: GptSpec, standing: GptSparsity): Phase {
  const { name, batch, dynamic = null, lora = null } = phase;
  const sequence = phase.sequence ?? shape.context;
  const stageOf = (length: Length, sparsity: GptSparsity): Stage => ({
    sparsity,
    steps: stepsOf(length, batch, sequence),
  });
  const stages = phase.stages?.map((stage) => stageOf(stage, sparsityOf(stage.sparsity) ?? standing));
  const whole = [stageOf(phase, sparsityOf(phase.sparsity) ?? standing)];
  const made = stages ?? whole;
  return { name, kind: kindOf(phase, made), batch, sequence, stages: made, dynamic, lora };
}

function kindOf({ lora, dynamic, stages }: PhaseDocument, made: readonly Stage[]): PhaseKind {
  if (lora !== undefined) return 'LoRA';
  if (dynamic !== undefined) return 'dynamic sparse';
  if (stages !== undefined) return 'redensification';
  return made[0].sparsity.value === 0 ? 'dense' : 'sparse';
}

type Length = Pick<PhaseDocument, 'tokens' | 'sequences' | 'steps'>;

const LENGTHS = ['tokens', 'sequences', 'steps'] as const;

/** Whole steps, so that the tokens are reached. */
function stepsOf({ tokens, sequences, steps }: Length, batch: number, sequence: number): number {
  if (tokens !== undefined) return Math.ceil(tokens / (batch * sequence));
  return sequences === undefined ? (steps ?? 0) : Math.ceil(sequences / batch);
}

type SparsityDocument = NonNullable<PlanDocument['sparsity']>;

function sparsityOf(given: SparsityDocument | undefined): GptSparsity | undefined {
  if (given === undefined) return undefined;
  const sparsity = typeof given === 'number' ? { ...uniform, value: given } : given;
  return { ...sparsity, weights: sparseWeights.filter((weight) => sparsity.weights.includes(weight)) };
}

/** What the short form of a sparsity means beside its value. */
const uniform = { kind: 'uniform', seed: 1, weights: sparseWeights } as const;

/** Indices of tokens are 32-bit integers. */
const MOST_TOKENS = 2 ** 31 - 1;

function* brokenRules(
  phase: PhaseDocument,
  path: Path,
  { systems, sparsity: ofPlan }: PlanDocument,
  { shape, sparsity: ofModel }: GptSpec,
): Generator<Issue> {
  const { batch, sequence = shape.context, stages, dynamic, lora, sparsity } = phase;
  yield* brokenLengths(phase, path);
  for (const other of ['sparsity', 'dynamic', 'lora'] as const) {
    if (stages === undefined || phase[other] === undefined) continue;
    yield keyAt([...path, other], `given beside stages, which have their own zeros and train all weights`);
  }
  if (dynamic !== undefined && lora !== undefined)
    yield keyAt([...path, 'dynamic'], 'given beside lora, whose model is frozen; allowed one of the two');
  const { value } = sparsityOf(sparsity ?? ofPlan) ?? ofModel;
  if (dynamic !== undefined && (value === 0 || value === 1))
    yield valueAt([...path, 'dynamic'], `nothing can move, got sparsity ${value}, allowed one between 0 and 1`);
  if (sequence > shape.context)
    yield valueAt([...path, 'sequence'], `longer than the context, got ${sequence}, allowed 1 to ${shape.context}`);
  if (batch < systems)
    yield valueAt([...path, 'batch'], `fewer sequences than systems, got ${batch}, allowed ${systems} or more`);
  if (batch * sequence > MOST_TOKENS)
    yield valueAt([...path, 'batch'], `too many tokens a step, got ${batch} x ${sequence}, allowed ${MOST_TOKENS}`);
}

/** How long a phase is, or each of its stages, is said once. */
function* brokenLengths(phase: PhaseDocument, path: Path): Generator<Issue> {
  const { stages } = phase;
  for (const length of LENGTHS)
    if (stages !== undefined && phase[length] !== undefined)
      yield keyAt([...path, length], 'given beside stages, which have lengths of their own');
  const parts = stages?.map((stage, i) => ({ part: stage, at: [...path, 'stages', i] })) ?? [{ part: phase, at: path }];
  for (const { part, at } of parts) {
    const given = LENGTHS.filter((length) => part[length] !== undefined);
    if (given.length === 0) yield valueAt(at, `missing its length, allowed one of ${LENGTHS.join(', ')}`);
    for (const second of given.slice(1))
      yield keyAt([...at, second], `given beside ${given[0]}, got ${show(part[second])}, allowed one of the two`);
  }
}

function keyAt(path: Path, text: string): Issue {
  return { path, on: 'key', text };
}

function valueAt(path: Path, text: string): Issue {
  return { path, on: 'value', text };
}
