// Plans as they run: each step once, what phases add up to, and what systems side by side are bound by.

import { describe, expect, test } from 'vitest';
import { trainingFlops } from '../../compiler/graph/trainingFlops.ts';
import { TRAINS_ALL } from '../../compiler/graph/trained.ts';
import { gpuTrainingResult } from '../../baselines/gpu/training.ts';
import { parameterCount } from '../../compiler/model/parameters.ts';
import { HOP_SECONDS, stepOnSystems, treeLevels } from '../../plan/dataParallel.ts';
import { type PhaseResult, type PlanResult, runPlan, type StepResult } from '../../plan/run.ts';
import { type EdgeTraffic, edgeTraffic } from '../../plan/traffic.ts';
import { graphOf } from '../run/tiny.ts';
import { asking, phase, planOf, ran, tinyShape } from './planned.ts';

const { name, batch, sequence } = phase;
const stagesOf = (...zeros: readonly number[]): object => ({
  name,
  batch,
  sequence,
  stages: zeros.map((sparsity) => ({ tokens: 640, sparsity })),
});

describe('the same step is run once', () => {
  const cases: readonly [string, readonly object[], number][] = [
    ['phases alike but in length', [phase, { ...phase, name: 'more', tokens: 6400 }], 1],
    ['phases with other zeros', [phase, { ...phase, sparsity: 0.5 }], 2],
    [
      'phases with another mask of as many zeros',
      [0, 1].map((seed) => ({ ...phase, sparsity: { value: 0.5, seed } })),
      2,
    ],
    ['a schedule that ends dense, then dense fine-tuning', [stagesOf(0.75, 0.5, 0.25, 0), phase], 4],
    ['SET: an update is a step', [{ ...phase, sparsity: 0.5, dynamic: { method: 'set', every: 1 } }], 1],
    ['RigL: an update is not', [{ ...phase, sparsity: 0.5, dynamic: { method: 'rigl', every: 1 } }], 2],
    ['RigL that never updates', [{ ...phase, sparsity: 0.5, dynamic: { method: 'rigl', every: 11 } }], 1],
    ['LoRA of one rank, twice, and of another', [1, 1, 2].map((rank) => ({ ...phase, lora: { rank } })), 2],
    ['another batch', [phase, { ...phase, batch: 3 }], 2],
    ['another sequence', [phase, { ...phase, sequence: 16 }], 2],
  ];
  test.each(cases)('%s', async (_what, phases, steps) => {
    const { timeStep, steps: asked } = asking();
    const { stepsRun, phases: results } = await ran(planOf({ phases }), timeStep);
    expect(asked).toHaveLength(steps);
    expect(stepsRun).toBe(steps);
    expect(results).toHaveLength(phases.length);
  });

  test('also while the first is under way', async () => {
    const { timeStep, steps } = asking();
    const plan = planOf({ phases: [phase, phase] });
    await runPlan(plan, timeStep, { onProgress: () => undefined });
    expect(steps).toHaveLength(1);
  });
});

function dynamic(method: string): object {
  return { ...phase, sparsity: 0.5, dynamic: { method, every: 2, until: 0.5 } };
}

async function only(phases: readonly object[], fields: object = {}): Promise<readonly PhaseResult[]> {
  return (await ran(planOf({ phases, ...fields }))).phases;
}

describe('what a phase comes to', () => {
  const graph = graphOf({ ...tinyShape, sparsity: 0.5 }, batch, sequence);

  test('FLOPs, tokens and times are those of its steps', async () => {
    const [result] = await only([{ ...phase, sparsity: 0.5 }]);
    const gpu = gpuTrainingResult(graph, 'a100-80gb', {
      trained: TRAINS_ALL,
      parameters: parameterCount(planOf({}).model.shape),
      recompute: false,
    });
    expect(result).toMatchObject({ steps: 10, tokens: 640, waferSeconds: 10 * batch * 0.75 });
    expect(result.flops).toBe(10 * trainingFlops(graph, TRAINS_ALL).total);
    expect(result.denseFlops).toBe(10 * trainingFlops(graphOf(tinyShape, batch, sequence), TRAINS_ALL).total);
    expect(result.gpu).toEqual([1, 1.25].map((kappa) => ({ kappa, seconds: 10 * (kappa * gpu.seconds) })));
  });

  test('a schedule adds up its stages', async () => {
    const [result] = await only([stagesOf(0.75, 0.5, 0)]);
    expect(result.stages.map(({ waferSeconds }) => waferSeconds)).toEqual([12.5, 15, 20]);
    expect(result).toMatchObject({ steps: 30, tokens: 1920, waferSeconds: 47.5 });
    const flops = result.stages.map((stage) => stage.flops);
    expect(flops.toSorted((a, b) => a - b)).toEqual(flops);
    expect(result.flops).toBe(flops[0] + flops[1] + flops[2]);
  });

  test('RigL pays for dense gradients on updates, SET for nothing', async () => {
    const [plain, set, rigl] = await only([{ ...phase, sparsity: 0.5 }, dynamic('set'), dynamic('rigl')]);
    expect(set.stages[0].updates).toBe(2);
    expect([set.flops, set.waferSeconds]).toEqual([plain.flops, plain.waferSeconds]);
    expect(rigl.stages[0].kinds.map(({ what, steps }) => [what, steps])).toEqual([
      ['step', 8],
      ['update', 2],
    ]);
    const update = trainingFlops(graph, { weights: 'all', denseGradients: true }).total;
    expect(rigl.flops - plain.flops).toBe(2 * (update - trainingFlops(graph, TRAINS_ALL).total));
    expect(rigl.waferSeconds).toBe(1.1 * plain.waferSeconds);
    expect(rigl.gpu).toEqual(plain.gpu);
  });

  test('LoRA trains adapters, on the wafer and on the GPU', async () => {
    const { timeStep, steps } = asking();
    const { phases } = await ran(
      planOf({ phases: [phase, { ...phase, lora: { rank: 2, targets: ['mlpIn'] } }] }),
      timeStep,
    );
    expect(steps[1].trained).toEqual({ weights: 'adapters', denseGradients: false });
    expect(steps[1].graph.nodes.map(({ id }) => id)).toContain('h.0.mlp.c_fc.lora_A');
    expect(phases[1].flops).toBeLessThan(phases[0].flops);
    expect(phases[1].gpu[0].seconds).not.toBe(phases[0].gpu[0].seconds);
  });

  test('recomputation is asked of the wafer; the GPU keeps all', async () => {
    const { timeStep, steps } = asking();
    const kept = await ran(planOf({}));
    const again = await ran(planOf({ recompute: 'none' }), timeStep);
    expect(steps[0].recompute).toBe('none');
    expect(again.total.gpu[0].seconds).toBe(kept.total.gpu[0].seconds);
    expect(again.total.flops).toBe(kept.total.flops);
  });

  test('the whole is the sum of its phases', async () => {
    const { phases, total } = await ran(planOf({ phases: [phase, { ...phase, sparsity: 0.5 }, stagesOf(0.75, 0)] }));
    const sum = (of: (each: PhaseResult) => number): number => phases.reduce((all, each) => all + of(each), 0);
    expect(total.steps).toBe(40);
    expect(total.flops).toBe(sum(({ flops }) => flops));
    expect(total.waferSeconds).toBe(sum(({ waferSeconds }) => waferSeconds));
    expect(total.gpu[1].seconds).toBe(sum(({ gpu }) => gpu[1].seconds));
    expect(total.energy.waferJoules).toBeCloseTo(
      sum(({ energy }) => energy.waferJoules),
      6,
    );
  });

  test('an error of a step is that of the plan', async () => {
    await expect(ran(planOf({}), () => Promise.reject(new Error('no such step')))).rejects.toThrow('no such step');
  });
});

describe('energy', () => {
  test('of wafers as their steps say, of systems by their watts', async () => {
    const { total } = await ran(planOf({ systems: 2 }));
    // Two systems, ten steps of a second and its way through the tree.
    expect(total.waferSeconds).toBeCloseTo(10, 3);
    expect(total.energy.waferJoules).toBeCloseTo(2 * 10 * 27, 9);
    expect(total.energy.systemJoules).toEqual([15e3, 23e3].map((watts) => watts * 2 * total.waferSeconds));
  });

  test('of a machine that is not sold only that of wafers is known', async () => {
    const { total } = await ran(planOf({ machine: { preset: 'wse2', energy: { joulesPerCycle: 3e-12 } } }));
    expect(total.energy).toEqual({ waferJoules: 2 * 10 * 27, systemJoules: null });
  });
});

function stepOf({ phases }: PlanResult): StepResult {
  return phases[0].stages[0].kinds[0];
}

describe('systems that share a batch', () => {
  const widest = { ...phase, batch: 8 };
  const on = (systems: number, edge: number): Promise<PlanResult> => {
    const machine = { preset: 'wse2', clockHz: 1e6, edge: { bitsPerSecond: edge } };
    return ran(planOf({ systems, machine, phases: [widest] }));
  };
  test('each has its part of the batch; a part that is begun counts whole', async () => {
    const parts = [1, 2, 3, 8].map(async (systems) => {
      const { timeStep, steps } = asking();
      await ran(planOf({ systems, phases: [widest] }), timeStep);
      return steps[0].graph.batch;
    });
    expect(await Promise.all(parts)).toEqual([8, 4, 3, 1]);
  });

  test('where the wafer binds, two take half as long', async () => {
    const [one, two] = [stepOf(await on(1, 1e12)).systems, stepOf(await on(2, 1e12)).systems];
    expect([one.boundBy, two.boundBy]).toEqual(['compute', 'compute']);
    expect([one.treeSeconds, two.treeSeconds]).toEqual([0, 2 * HOP_SECONDS]);
    expect(one.seconds).toBe(8);
    expect(two.seconds).toBe(4 + 2 * HOP_SECONDS);
  });

  test('where the edge binds, they take nearly as long as one: every system gets all weights', async () => {
    // Half a million bits a step.
    const slow = 1e5 / 2;
    const machine = { clockHz: 1e3 };
    const at = (systems: number): Promise<PlanResult> =>
      ran(
        planOf({ systems, machine: { preset: 'wse2', ...machine, edge: { bitsPerSecond: slow } }, phases: [widest] }),
      );
    const [one, two] = [stepOf(await at(1)), stepOf(await at(2))];
    expect([one.systems.boundBy, two.systems.boundBy]).toEqual(['edge', 'edge']);
    expect(one.systems.seconds).toBe((one.edge.bitsIn + one.edge.bitsOut) / slow);
    expect(two.systems.seconds).toBe((two.edge.bitsIn + two.edge.bitsOut) / slow + 2 * HOP_SECONDS);
    // Only rows of the embedding are fewer.
    const rows = (16 * tinyShape.width * sequence * 8) / 2;
    expect(one.edge.bitsIn - two.edge.bitsIn).toBe(rows);
    expect(two.systems.seconds / one.systems.seconds).toBeGreaterThan(0.6);
  });

  test('the tree has four ways at a node', () => {
    expect([1, 2, 4, 5, 16, 17, 64].map(treeLevels)).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });

  test('weights and gradients share the edge', () => {
    const edge = { bitsPerSecond: 10 };
    const binding = stepOnSystems({ seconds: 3, boundBy: 'overhead' }, { bitsIn: 20, bitsOut: 20 }, { edge }, 1);
    expect(binding).toMatchObject({ seconds: 4, boundBy: 'edge', waferSeconds: 3, edgeSeconds: 4 });
    expect(stepOnSystems({ seconds: 4, boundBy: 'overhead' }, { bitsIn: 20, bitsOut: 20 }, { edge }, 1).boundBy).toBe(
      'overhead',
    );
  });
});

function trafficOf(fields: object, passes = 1, groups = 1, recompute = 'none'): EdgeTraffic {
  const { timeStep, steps } = asking();
  void ran(planOf({ recompute, phases: [{ ...phase, ...fields }] }), timeStep);
  return edgeTraffic(steps[0], { passes, groups });
}

describe('traffic at the edge', () => {
  // One layer of width 24 and ff 40: 24 x 72, 24 x 24, 24 x 40, 40 x 24; the head is 24 x 50.
  const weights = 24 * 72 + 24 * 24 + 2 * 24 * 40;
  const head = 24 * 50;
  const biases = 72 + 24 + 40 + 24;
  const norms = 3 * 2 * 24;
  const rows = 16 * 24 * batch * sequence;

  test('dense: two weights in a wavelet, in twice; gradients are fp32', () => {
    expect(trafficOf({})).toEqual({
      bitsIn: 16 * (2 * weights + 3 * head) + 32 * (biases + norms) + rows,
      bitsOut: 32 * (weights + head + biases + norms) + rows,
    });
  });

  test('half of them zero: each takes a wavelet and its index half of one; gradients are half', () => {
    expect(trafficOf({ sparsity: 0.5 })).toEqual({
      bitsIn: (2 * 32 + 16) * (weights / 2) + 3 * 16 * head + 32 * (biases + norms) + rows,
      bitsOut: 32 * (weights / 2 + head + biases + norms) + rows,
    });
  });

  test('a layer that is run again gets its weights once more, but for those that only make its output', () => {
    const [kept, again] = [trafficOf({}), trafficOf({}, 1, 1, 'layer')];
    const notAgain = 40 * 24;
    expect(again.bitsIn - kept.bitsIn).toBe(16 * (weights - notAgain) + 32 * (biases - 24 + 2 * 2 * 24));
    expect(again.bitsOut).toBe(kept.bitsOut);
  });

  test('passes stream weights again, not tokens', () => {
    const [one, three] = [trafficOf({}), trafficOf({}, 3)];
    expect(three.bitsIn - rows).toBe(3 * (one.bitsIn - rows));
    expect(three.bitsOut - rows).toBe(3 * (one.bitsOut - rows));
  });

  test('groups of columns get weights once and give gradients each', () => {
    const [one, three] = [trafficOf({}), trafficOf({}, 1, 3)];
    expect(three.bitsIn).toBe(one.bitsIn);
    expect(three.bitsOut - rows).toBe(3 * (one.bitsOut - rows));
  });

  test('frozen weights come in and nothing of them leaves', () => {
    const lora = trafficOf({ lora: { rank: 2, targets: ['qkv'] } });
    const adapter = 2 * 24 + 2 * 72;
    expect(lora.bitsOut).toBe(32 * adapter);
    expect(lora.bitsIn).toBe(trafficOf({}).bitsIn + 2 * 16 * adapter);
  });
});
