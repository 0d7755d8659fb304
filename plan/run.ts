// Runs a plan: each different step once, on the wafer and on a GPU, and what phases and the whole come to. Nothing in a result
// but the last lines depends on the host.

import type { GpuTime } from '../baselines/gpu/model.ts';
import type { TrainingFlops } from '../compiler/graph/trainingFlops.ts';
import type { GptSparsity } from '../compiler/model/spec.ts';
import { sha256 } from '../report/hash.ts';
import { stepOnSystems, type SystemsStep } from './dataParallel.ts';
import { addEnergy, type Energy, energyOf, NO_ENERGY } from './energy.ts';
import type { Phase, PhaseKind, Plan, Stage } from './plan.ts';
import { type StageWork, stageWork, type StepGroup } from './stage.ts';
import type { StepOptions, StepTime, TimeStep, TrainingStep } from './step.ts';
import { type EdgeTraffic, edgeTraffic } from './traffic.ts';

/** What adds up over stages and phases. */
export interface Amounts {
  readonly steps: number;
  readonly tokens: number;
  readonly flops: number;
  /** With no weight zero. */
  readonly denseFlops: number;
  readonly waferSeconds: number;
  /** One GPU, at each kappa. */
  readonly gpu: readonly { readonly kappa: number; readonly seconds: number }[];
  readonly energy: Energy;
}

/** Steps of a stage that are all alike. */
export interface StepResult {
  readonly what: StepGroup['what'];
  readonly steps: number;
  readonly flops: TrainingFlops;
  /** On one system. */
  readonly wafer: StepTime;
  readonly edge: EdgeTraffic;
  readonly systems: SystemsStep;
}

export interface StageResult extends Amounts {
  readonly sparsity: GptSparsity;
  /** Steps that end with masks moved. */
  readonly updates: number;
  readonly kinds: readonly StepResult[];
}

export interface PhaseResult extends Amounts {
  readonly name: string;
  readonly kind: PhaseKind;
  readonly batch: number;
  readonly sequence: number;
  readonly dynamic: Phase['dynamic'];
  readonly lora: Phase['lora'];
  readonly stages: readonly StageResult[];
}

export interface PlanResult {
  readonly plan: Plan;
  readonly phases: readonly PhaseResult[];
  readonly total: Amounts;
  /** Different steps that were run. */
  readonly stepsRun: number;
}

export async function runPlan(plan: Plan, timeStep: TimeStep, options: StepOptions): Promise<PlanResult> {
  const known = new Map<string, Promise<StepTime>>();
  const once: TimeStep = (step, of) => {
    const key = stepKey(step);
    const time = known.get(key) ?? timeStep(step, of);
    known.set(key, time);
    return time;
  };
  const phases: PhaseResult[] = [];
  for (const phase of plan.phases) phases.push(await runPhase(plan, phase, once, options));
  return { plan, phases, total: sumOf(phases), stepsRun: known.size };
}

/** Of all that the time of a step depends on. */
function stepKey({ spec, graph, trained, recompute }: TrainingStep): string {
  const { workload, mapping, machine } = spec;
  return sha256({
    graph: { ...graph, name: null },
    workload,
    mapping,
    machine: { ...machine.machine, name: null },
    trained,
    recompute,
  });
}

async function runPhase(plan: Plan, phase: Phase, once: TimeStep, options: StepOptions): Promise<PhaseResult> {
  const stages: StageResult[] = [];
  for (const stage of phase.stages) stages.push(await runStage(plan, phase, stage, once, options));
  const { name, kind, batch, sequence, dynamic, lora } = phase;
  return { name, kind, batch, sequence, dynamic, lora, ...sumOf(stages), stages };
}

async function runStage(
  plan: Plan,
  phase: Phase,
  stage: Stage,
  once: TimeStep,
  { onProgress }: StepOptions,
): Promise<StageResult> {
  const work = stageWork(plan, phase, stage);
  const labelled: StepOptions = { onProgress: (done, total) => onProgress(done, total, phase.name) };
  const kinds: StepResult[] = [];
  for (const { what, steps, step, flops } of work.groups) {
    const wafer = await once(step, labelled);
    const edge = edgeTraffic(step, wafer);
    const systems = stepOnSystems(wafer, edge, step.spec.machine.machine, plan.systems);
    kinds.push({ what, steps, flops, wafer, edge, systems });
  }
  return { sparsity: stage.sparsity, updates: work.updates, kinds, ...amountsOf(plan, phase, stage, work, kinds) };
}

function amountsOf(
  { model, systems }: Plan,
  { batch, sequence }: Phase,
  { steps }: Stage,
  { denseFlops, gpu }: StageWork,
  kinds: readonly StepResult[],
): Amounts {
  const inAll = (of: (kind: StepResult) => number): number =>
    kinds.reduce((sum, kind) => sum + kind.steps * of(kind), 0);
  const waferSeconds = inAll((kind) => kind.systems.seconds);
  const waferJoules = systems * inAll(({ wafer }) => wafer.joules);
  return {
    steps,
    tokens: steps * batch * sequence,
    flops: inAll(({ flops }) => flops.total),
    denseFlops: steps * denseFlops,
    waferSeconds,
    gpu: gpu.map(({ kappa, seconds }: GpuTime) => ({ kappa, seconds: steps * seconds })),
    energy: energyOf(model.machine, waferJoules, systems * waferSeconds),
  };
}

function sumOf(parts: readonly Amounts[]): Amounts {
  const sum = (of: (part: Amounts) => number): number => parts.reduce((all, part) => all + of(part), 0);
  return {
    steps: sum(({ steps }) => steps),
    tokens: sum(({ tokens }) => tokens),
    flops: sum(({ flops }) => flops),
    denseFlops: sum(({ denseFlops }) => denseFlops),
    waferSeconds: sum(({ waferSeconds }) => waferSeconds),
    gpu: parts[0].gpu.map(({ kappa }, i) => ({ kappa, seconds: sum(({ gpu }) => gpu[i].seconds) })),
    energy: parts.reduce((all, { energy }) => addEnergy(all, energy), NO_ENERGY),
  };
}
