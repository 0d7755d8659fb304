// Steps of a plan on the emulated wafer: the same as a training step that is asked for by itself, and what phases of other
// kinds leave out of it or add to it.

import { afterAll, expect, test } from 'vitest';
import { runWafer } from '../../run/wafer.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { type StepResult } from '../../plan/run.ts';
import { type StepTime, type TrainingStep, waferSteps } from '../../plan/step.ts';
import { specOf } from '../run/tiny.ts';
import { asking, phase, planOf, ran, tinyShape } from './planned.ts';

const machine = { preset: 'wse2', fabric: { width: 13, height: 12 } };
const mapping = { columns: 12, tokensPerPe: 8 };
const model = { ...tinyShape, mapping };
const timer = inProcessTimer();
const timeStep = waferSteps({ timer, cache: undefined });

afterAll(() => timer.close());

/** Those of one phase. */
async function kindsOf(fields: object, plan: object = {}): Promise<readonly StepResult[]> {
  const { phases } = await ran(planOf({ model, machine, ...plan, phases: [{ ...phase, ...fields }] }), timeStep);
  return phases[0].stages[0].kinds;
}

async function timeOf(fields: object, plan: object = {}): Promise<StepTime> {
  const [{ wafer }] = await kindsOf(fields, plan);
  return wafer;
}

test.each(['layer', 'none'])('a step is the training step of its model, recompute %s', async (recompute) => {
  const { batch, sequence } = phase;
  const workload = { kind: 'train', batch, sequence, recompute };
  const { wafer } = await runWafer(specOf({ ...model, machine, sparsity: 0.5, workload }), { timer });
  const step = await timeOf({ sparsity: 0.5 }, { recompute });
  expect(step.cycles).toBe(wafer.cycles);
  expect(step.seconds).toBe(wafer.seconds);
  expect([step.passes, step.groups]).toEqual([wafer.mapping.passes, wafer.mapping.groups]);
});

test('PEs take more than doing nothing and less than vector work in every cycle', async () => {
  const { cycles, joules } = await timeOf({});
  expect(joules).toBeGreaterThan(cycles * 13 * 12 * 1.5e-12);
  expect(joules).toBeLessThan(cycles * 13 * 12 * 27e-12);
});

test('zeros save time, and an update of RigL costs some of it', async () => {
  const [dense, sparse] = [await timeOf({}), await timeOf({ sparsity: 0.75 })];
  expect(sparse.cycles).toBeLessThan(dense.cycles);
  const [step, update] = await kindsOf({ sparsity: 0.75, dynamic: { method: 'rigl', every: 1 } });
  expect(step.wafer.cycles).toBe(sparse.cycles);
  expect(update.what).toBe('update');
  expect(update.wafer.cycles).toBeGreaterThan(sparse.cycles);
  expect(update.wafer.cycles).toBeLessThan(dense.cycles);
});

test('LoRA takes less than training all weights, and more with a larger rank', async () => {
  const all = await timeOf({});
  const [small, large] = [await timeOf({ lora: { rank: 1 } }), await timeOf({ lora: { rank: 16 } })];
  expect(small.cycles).toBeLessThan(all.cycles);
  expect(large.cycles).toBeGreaterThan(small.cycles);
});

test('a step that is run in passes takes as long as they do', async () => {
  const [few, many] = [await timeOf({ batch: 3 }), await timeOf({ batch: 30 })];
  expect([few.passes, many.passes]).toEqual([1, 10]);
  expect(many.cycles).toBe(10 * few.cycles);
  expect(many.joules).toBeCloseTo(10 * few.joules, 12);
});

test('no step is faster than its edge', async () => {
  for (const fields of [{}, { sparsity: 0.5 }, { sparsity: 0.5, dynamic: { method: 'rigl', every: 1 } }])
    for (const { systems } of await kindsOf(fields)) {
      expect(systems.edgeSeconds).toBeLessThan(systems.waferSeconds);
      expect(systems.edgeSeconds).toBeGreaterThan(0);
    }
});

test('two systems take as long as one with half of the batch, and their tree', async () => {
  const half = await timeOf({ batch: 3 });
  const [{ wafer, systems }] = await kindsOf({ batch: 6 }, { systems: 2 });
  expect(wafer.cycles).toBe(half.cycles);
  expect(systems.seconds).toBe(half.seconds + systems.treeSeconds);
});

test('what is asked is a training step', async () => {
  const { timeStep: made, steps } = asking();
  await ran(planOf({}), made);
  const [{ spec, graph }]: readonly TrainingStep[] = steps;
  expect(spec.workload.kind).toBe('train');
  expect(graph.training).toMatchObject({ recompute: 'layer', layers: 1 });
});
