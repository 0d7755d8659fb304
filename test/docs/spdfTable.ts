// The tables of examples/spdf-gpt3-xl: plans run on the wafer, or with made-up times for what does not depend on them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadPlan } from '../../plan/resolve.ts';
import { type PlanResult, runPlan } from '../../plan/run.ts';
import { type TimeStep, waferSteps } from '../../plan/step.ts';
import { inProcessTimer } from '../../run/timer.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const models = ['gpt3-xl', 'gpt2-small'] as const;
export const sparsities = [0, 0.5, 0.75] as const;

export type Model = (typeof models)[number];

const row = z.tuple([z.string(), z.number()]).rest(z.unknown());
const { pretraining, totals } = z
  .object({ pretraining: z.object({ rows: z.array(row) }), totals: z.object({ rows: z.array(row) }) })
  .parse(JSON.parse(readFileSync(`${root}validation/spdf.json`, 'utf8')));

const steps = waferSteps({ timer: inProcessTimer(), cache: undefined });

/** On the wafer unless times are given; each different step of all plans once. */
export function planAt(
  model: Model,
  sparsity: number,
  { systems = 1, timeStep = steps }: { readonly systems?: number; readonly timeStep?: TimeStep } = {},
): Promise<PlanResult> {
  const plan = loadPlan(`${root}examples/spdf-${model}.json`, { sparsity, set: [`systems=${systems}`] });
  return runPlan(plan, timeStep, { onProgress: () => undefined });
}

export const HEAD = [
  '| model | zeros | pre-training, exaFLOP | printed | with E2E | printed | wafer | tokens/s | over one A100 |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** Nothing where the paper has nothing. */
function printed(value: unknown): string {
  return typeof value === 'number' ? value.toFixed(2) : '';
}

export function rowOf(model: Model, sparsity: number, { phases, total }: PlanResult): string {
  const [first] = phases;
  const digits = model === 'gpt3-xl' ? 5 : 3;
  const ofModel = (rows: readonly z.output<typeof row>[]): z.output<typeof row> | undefined =>
    rows.find(
      ([name, share, dataset]) => name === model && share === sparsity && dataset !== 'WebNLG' && dataset !== 'DART',
    );
  return `| ${[
    model,
    `${100 * sparsity} %`,
    (first.flops / 1e18).toPrecision(digits),
    printed(ofModel(pretraining.rows)?.[4]),
    (total.flops / 1e18).toPrecision(digits),
    printed(ofModel(totals.rows)?.[3]),
    hours(total.waferSeconds),
    thousands(total.tokens / total.waferSeconds),
    `${(total.gpu[0].seconds / total.waferSeconds).toFixed(1)} x`,
  ].join(' | ')} |`;
}

export function hours(seconds: number): string {
  return `${(seconds / 3600).toPrecision(3)} h`;
}

export function thousands(value: number): string {
  return `${Math.round(value / 1000).toLocaleString('en-US')} k`;
}

function milliseconds(seconds: number): string {
  return `${(1e3 * seconds).toFixed(1)} ms`;
}

export const SYSTEMS_HEAD = [
  '| systems | wafer | tokens/s | a step | its edge alone | passes | bound by |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];

export function systemsRow(systems: number, { phases, total }: PlanResult): string {
  const [{ wafer, systems: step }] = phases[0].stages[0].kinds;
  return `| ${[
    systems,
    hours(total.waferSeconds),
    thousands(total.tokens / total.waferSeconds),
    milliseconds(step.seconds),
    milliseconds(step.edgeSeconds),
    wafer.passes,
    step.boundBy,
  ].join(' | ')} |`;
}
