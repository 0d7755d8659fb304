// `emulate <model>` of a training step, from end to end: what the report says of it, what binds it, and what it takes to fit.

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { gpuTrainingResult } from '../../baselines/gpu/training.ts';
import { TRAINS_ALL } from '../../compiler/graph/trained.ts';
import { trainingFlops } from '../../compiler/graph/trainingFlops.ts';
import { parameterCount } from '../../compiler/model/parameters.ts';
import { graphOf, specOf } from '../run/tiny.ts';
import { emulate, folderWith } from './emulated.ts';

const shape = { layers: 2, width: 32, heads: 4, ff: 64, vocabulary: 96, context: 32 } as const;
const fixed = {
  machine: { preset: 'wse2', fabric: { width: 16, height: 16 } },
  mapping: { columns: 16, tokensPerPe: 8 },
};
const step = { ...shape, ...fixed, sparsity: 0.75, workload: { kind: 'train', batch: 4, sequence: 32 } };

const report = z.looseObject({
  model: z.looseObject({ workload: z.looseObject({ kind: z.string(), recompute: z.string() }) }),
  mapping: z.looseObject({ gradients: z.looseObject({ buffers: z.number(), sums: z.number() }) }),
  wafer: z.looseObject({ cycles: z.number() }),
  gpu: z.looseObject({
    seconds: z.number(),
    kappa: z.array(z.looseObject({ kappa: z.number(), seconds: z.number() })),
  }),
  speedup: z.looseObject({ ideal: z.number(), overGpu: z.number() }),
  operators: z.array(z.looseObject({ name: z.string(), cycles: z.number(), boundBy: z.string() })),
  notModelled: z.array(z.string()),
});
type Report = z.output<typeof report>;

async function reportOf(model: object, ...flags: readonly string[]): Promise<Report> {
  const file = `${folderWith({ 'step.json': model })}/step.json`;
  const { code, out, err } = await emulate([file, '--json', '-', ...flags]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return report.parse(JSON.parse(out));
}

function bounds({ operators }: Report): Record<string, string> {
  return Object.fromEntries(operators.map(({ name, boundBy }) => [name, boundBy]));
}

function cyclesOf({ operators }: Report, at: string): number | undefined {
  return operators.find(({ name }) => name === at)?.cycles;
}

async function refused(model: object): Promise<string> {
  const { code, out, err } = await emulate([`${folderWith({ 'step.json': model })}/step.json`]);
  expect({ code, out }).toEqual({ code: 3, out: '' });
  return err;
}

test('is named as one, and its GPU and ideal are those of a step', async () => {
  const got = await reportOf(step, '--no-twins');
  expect(got.model.workload).toMatchObject({ kind: 'train', recompute: 'layer' });
  const graph = graphOf({ ...shape, sparsity: 0.75 }, 4, 32, { kind: 'train' });
  const dense = graphOf(shape, 4, 32, { kind: 'train' });
  const ideal = trainingFlops(dense, TRAINS_ALL).total / trainingFlops(graph, TRAINS_ALL).total;
  expect(got.speedup.ideal).toBeCloseTo(ideal, 12);
  const spec = specOf({ ...shape, workload: { kind: 'train' } });
  if (spec.kind !== 'gpt') throw new Error(spec.kind);
  const options = { trained: TRAINS_ALL, parameters: parameterCount(spec.shape), recompute: false };
  const { seconds } = gpuTrainingResult(graph, 'a100-80gb', options);
  expect(got.gpu.seconds).toBeCloseTo(seconds, 12);
  expect(got.gpu.kappa.map(({ kappa }) => kappa)).toEqual([1, 1.25]);
  const forward = await emulate([
    `${folderWith({ 'm.json': { ...step, workload: { batch: 4 } } })}/m.json`,
    '--no-twins',
    '--json',
    '-',
  ]);
  expect(Object(JSON.parse(forward.out)).gpu.seconds).toBeLessThan(seconds / 2);
  expect(got.notModelled.join()).toContain('the optimiser');
});

test('its operators are those of the way there and back, each gradient where it belongs', async () => {
  const { operators } = await reportOf(step, '--no-twins');
  const names = operators.map(({ name }) => name);
  const at = (name: string): number => names.indexOf(name);
  for (const name of ['wte.backward', 'h.1.mlp.c_fc.recompute', 'h.0.attn.softmax.backward', 'lm_head.backward'])
    expect(at(name), name).toBeGreaterThan(at('lm_head'));
  expect(at('h.1.mlp.c_fc.wgrad')).toBeLessThan(at('h.0.mlp.c_fc.recompute'));
  expect(at('h.1.mlp.c_proj.dgrad')).toBeLessThan(at('h.1.mlp.c_fc.dgrad'));
  expect(names).not.toContain('h.0.mlp.c_proj.recompute');
  expect(names.at(-1)).toBe('wte.backward');
  const all = await reportOf({ ...step, workload: { ...step.workload, recompute: 'none' } }, '--no-twins');
  expect(all.operators.map(({ name }) => name)).toEqual(names.filter((name) => !name.endsWith('.recompute')));
});

test('is printed within 100 columns', async () => {
  const file = `${folderWith({ 'step.json': step })}/step.json`;
  const { out } = await emulate([file]);
  expect(out).toMatch(/^step: train of 4 x 32 tokens, 75\.0 % of the weights zero, seed 1, on wse2 \(modified\)\n/);
  for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
});

describe('a slow edge', () => {
  const slow = { ...step, machine: { ...fixed.machine, edge: { bitsPerSecond: 2.8e10 } } };

  test('binds the gradients that leave, which the usual one does not', async () => {
    const leaving = ['h.0.mlp.c_fc.wgrad', 'h.0.attn.c_attn.wgrad', 'wte.backward'];
    const [usual, slowed] = [await reportOf(step), await reportOf(slow)];
    for (const name of leaving) expect(bounds(slowed)[name], name).toBe('weight stream');
    expect(bounds(usual)['h.0.mlp.c_fc.wgrad']).not.toBe('weight stream');
    expect(slowed.wafer.cycles).toBeGreaterThan(1.3 * usual.wafer.cycles);
    // What does not pass the edge takes as long.
    for (const name of ['h.0.attn.scores.backward', 'h.1.mlp.gelu.backward'])
      expect(cyclesOf(slowed, name)).toBe(cyclesOf(usual, name));
  });

  test('is said, with what would help', async () => {
    const file = `${folderWith({ 'slow.json': slow })}/slow.json`;
    const { out } = await emulate([file]);
    expect(out).toMatch(/h\.\*\.mlp\.c_fc\.wgrad .* weight stream \d+ % +wider edge, fewer passes\n/);
  });
});

describe('what fits nowhere is exit 3, with the inequality and what would help', () => {
  const { mapping, ...free } = step;

  test('a model whose layers are too many to keep the input of each', async () => {
    const deep = { ...free, layers: 500, machine: { ...fixed.machine, memory: { sramBytes: 12_000 } } };
    const err = await refused({ ...deep, mapping });
    expect(err).toMatch(/SRAM of the fullest PE during \S+ is \d+ bytes, the limit 12000/);
    expect(err).toContain('what would help: more columns a group, fewer tokens a PE');
    expect(err).toMatch(/kept of 500 layers: input: 16000 bytes/);
  });

  test('a sequence on too few rows', async () => {
    const err = await refused({ ...free, mapping: { rows: 1, tokensPerPe: 8, columns: 16 } });
    expect(err).toContain('rows of a sequence of 32 tokens at 8 a PE is 4 rows, the limit 1');
    expect(err).toContain('what would help: more tokens a PE, a shorter sequence');
  });
});
