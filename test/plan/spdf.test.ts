// The example plans of the SPDF paper: the FLOPs that they come to are those of the paper, phase by phase and in all.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadPlan } from '../../plan/resolve.ts';
import type { PlanResult } from '../../plan/run.ts';
import { asking, ran } from './planned.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const row = z.tuple([z.string(), z.number(), z.string(), z.number(), z.number(), z.boolean()]);
const { totals } = z
  .object({ totals: z.object({ rows: z.array(row) }) })
  .parse(JSON.parse(readFileSync(`${root}validation/spdf.json`, 'utf8')));

function planAt(model: string, sparsity: number): Promise<PlanResult> {
  return ran(loadPlan(`${root}examples/spdf-${model}.json`, { sparsity }), asking().timeStep);
}

const ofE2e = totals.rows.filter(([, , dataset]) => dataset === 'E2E');

test('all six are there', () => expect(ofE2e).toHaveLength(6));

describe.each(ofE2e)('%s at %f', (model, sparsity, _dataset, exaflops, overDense) => {
  test('both phases together', async () => {
    const { total } = await planAt(model, sparsity);
    const dense = await planAt(model, 0);
    // Two decimals are printed.
    expect(Math.abs(total.flops / 1e18 - exaflops)).toBeLessThan(0.006);
    expect(Math.abs(dense.total.flops / total.flops - overDense)).toBeLessThan(0.015);
  });

  test('fine-tuning is dense and of as many sequences as the paper has', async () => {
    const { phases } = await planAt(model, sparsity);
    expect(phases.map(({ kind }) => kind)).toEqual([sparsity === 0 ? 'dense' : 'sparse', 'dense']);
    expect(phases[1].tokens).toBe(126_000 * 512);
  });
});

async function digits(sparsity: number): Promise<string[]> {
  const { phases, total } = await planAt('gpt3-xl', sparsity);
  return [phases[0].flops, total.flops].map((flops) => (flops / 1e18).toPrecision(4));
}

test('GPT-3 XL to four digits', async () => {
  expect(await digits(0)).toEqual(['236.1', '236.6']);
  expect(await digits(0.5)).toEqual(['141.9', '142.4']);
  expect(await digits(0.75)).toEqual(['94.76', '95.29']);
});
