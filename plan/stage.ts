// A stage of a phase as work: the steps that it asks of the wafer, their FLOPs, and the same on a GPU.

import { gpuTrainingResult } from '../baselines/gpu/training.ts';
import type { GpuTime } from '../baselines/gpu/model.ts';
import { isAdapter, withAdapters } from '../compiler/graph/adapters.ts';
import { buildGraph } from '../compiler/graph/build.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { TRAINS_ALL, type Trained } from '../compiler/graph/trained.ts';
import { trainingFlops, type TrainingFlops } from '../compiler/graph/trainingFlops.ts';
import { parameterCount } from '../compiler/model/parameters.ts';
import type { GptSpec } from '../compiler/model/spec.ts';
import { maskUpdates, type Phase, type Plan, type Stage } from './plan.ts';
import type { TrainingStep } from './step.ts';

/** Steps that are all alike. */
export interface StepGroup {
  readonly what: 'step' | 'update';
  readonly steps: number;
  /** On one system. */
  readonly step: TrainingStep;
  /** Of one step, all systems together. */
  readonly flops: TrainingFlops;
}

export interface StageWork {
  readonly groups: readonly StepGroup[];
  /** Of one step with no weight zero. */
  readonly denseFlops: number;
  /** Of one step on one GPU, the whole batch; a GPU does not see zeros, so updates take as long. */
  readonly gpu: readonly GpuTime[];
  /** Steps that end with masks moved. */
  readonly updates: number;
}

export function stageWork(plan: Plan, phase: Phase, stage: Stage): StageWork {
  const { dynamic } = phase;
  const trained: Trained = phase.lora === null ? TRAINS_ALL : { weights: 'adapters', denseGradients: false };
  const updates = dynamic === null ? 0 : maskUpdates(dynamic, stage.steps);
  // SET moves weights without looking at gradients: an update is a step like any other.
  const special = dynamic?.method === 'rigl' ? updates : 0;
  const group = (what: StepGroup['what'], steps: number, of: Trained): StepGroup => ({
    what,
    steps,
    step: stepOf(plan, phase, stage, of),
    flops: trainingFlops(graphOf(plan, phase, stage, phase.batch), of),
  });
  const all = [
    group('step', stage.steps - special, trained),
    group('update', special, { ...trained, denseGradients: true }),
  ];
  const whole = graphOf(plan, phase, stage, phase.batch);
  const dense = graphOf(plan, phase, { ...stage, sparsity: { ...stage.sparsity, value: 0 } }, phase.batch);
  const parameters = phase.lora === null ? parameterCount(plan.model.shape) : adapterParameters(whole);
  const gpu = gpuTrainingResult(whole, plan.model.gpu, { trained, parameters, recompute: false }).kappa;
  return {
    groups: all.filter(({ steps }) => steps > 0),
    denseFlops: trainingFlops(dense, trained).total,
    gpu,
    updates,
  };
}

/** The system with most of the batch. */
function stepOf(plan: Plan, phase: Phase, stage: Stage, trained: Trained): TrainingStep {
  const batch = Math.ceil(phase.batch / plan.systems);
  const { recompute } = plan;
  return { spec: specOf(plan, phase, stage, batch), graph: graphOf(plan, phase, stage, batch), trained, recompute };
}

function specOf({ model, recompute }: Plan, { sequence }: Phase, { sparsity }: Stage, batch: number): GptSpec {
  return { ...model, sparsity, workload: { kind: 'train', recompute, batch, sequence, tokens: batch * sequence } };
}

function graphOf(plan: Plan, phase: Phase, stage: Stage, batch: number): Graph {
  const graph = buildGraph(specOf(plan, phase, stage, batch));
  return phase.lora === null ? graph : withAdapters(graph, phase.lora);
}

function adapterParameters({ nodes }: Graph): number {
  let numbers = 0;
  for (const node of nodes)
    if (isAdapter(node) && node.operator.kind === 'linear') numbers += node.operator.in * node.operator.out;
  return numbers;
}
