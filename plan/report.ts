// The result of a plan as one document: what terminal, JSON and CSV show. All but `run` depends on nothing but the input.

import { peakFacts, type PeakFacts } from '../baselines/gpu/peak.ts';
import type { GpuName, GptSpec, Recompute } from '../compiler/model/spec.ts';
import { sha256 } from '../report/hash.ts';
import { type MachinePart, machinePart } from '../report/machine.ts';
import { notModelled } from '../report/notModelled.ts';
import { systemWatts } from './energy.ts';
import { planNotModelled } from './notModelled.ts';
import type { Plan } from './plan.ts';
import type { Amounts, PhaseResult, PlanResult } from './run.ts';

export const PLAN_REPORT_FORMAT = 'wafer-emulator training plan 1';

export interface PlanReport {
  readonly format: typeof PLAN_REPORT_FORMAT;
  readonly name: string;
  readonly model: Pick<GptSpec, 'name' | 'shape'>;
  readonly machine: MachinePart;
  readonly gpu: PeakFacts & { readonly name: GpuName };
  readonly systems: number;
  /** What one of them draws, least and most; null where it is not known. */
  readonly systemWatts: readonly [number, number] | null;
  readonly recompute: Recompute;
  readonly phases: readonly PhaseResult[];
  readonly total: Amounts;
  readonly notModelled: readonly string[];
  readonly hashes: { readonly input: string; readonly result: string };
  readonly run: PlanHost;
}

export interface PlanHost {
  readonly file: string;
  readonly flags: readonly string[];
  readonly workers: number;
  readonly wallSeconds: number;
  /** Different steps that were emulated. */
  readonly stepsRun: number;
}

export function planReport(
  { plan, phases, total, stepsRun }: PlanResult,
  host: Pick<PlanHost, 'workers' | 'wallSeconds'>,
): PlanReport {
  const { name, model, systems, recompute, origin } = plan;
  const ofTraining: GptSpec = { ...model, workload: { ...model.workload, kind: 'train', recompute } };
  return {
    format: PLAN_REPORT_FORMAT,
    name,
    model: { name: model.name, shape: model.shape },
    machine: machinePart(model.machine),
    gpu: { name: model.gpu, ...peakFacts(model.gpu) },
    systems,
    systemWatts: systemWatts(model.machine),
    recompute,
    phases,
    total,
    notModelled: [...planNotModelled(plan), ...notModelled(ofTraining)],
    hashes: { input: planHash(plan), result: sha256({ phases, total }) },
    run: { ...origin, ...host, stepsRun },
  };
}

/** Of what decides the results, wherever it came from. */
function planHash({ model, systems, recompute, phases }: Plan): string {
  const { shape, gpu, mapping, machine } = model;
  return sha256({ shape, gpu, mapping, machine: { ...machine.machine, name: null }, systems, recompute, phases });
}
