// Plans of a small model, and steps whose times are made up by a rule, so that what a plan makes of them can be counted.

import { parseDocument } from '../../compiler/model/document.ts';
import { applyOverrides, type Overrides } from '../../compiler/model/overrides.ts';
import type { Plan } from '../../plan/plan.ts';
import { resolvePlan } from '../../plan/resolve.ts';
import { type PlanResult, runPlan } from '../../plan/run.ts';
import type { TimeStep, TrainingStep } from '../../plan/step.ts';
import { gptLike } from '../run/tiny.ts';

/** Context 64, and a machine as it is sold. */
export const tinyShape = { ...gptLike, sparsity: 0 } as const;

export const phase = { name: 'all', tokens: 640, batch: 2, sequence: 32 } as const;

export function planText(fields: object): string {
  return JSON.stringify({ model: tinyShape, phases: [phase], ...fields }, null, 2);
}

export function planOf(fields: object, overrides: Overrides = {}): Plan {
  return resolvePlan(applyOverrides(parseDocument('plan.json', planText(fields)), overrides));
}

export interface Asked {
  readonly timeStep: TimeStep;
  readonly steps: TrainingStep[];
}

/** A second for each sequence that a system has, half as much at 100 % zeros. */
export function asking(): Asked {
  const steps: TrainingStep[] = [];
  const timeStep: TimeStep = (step) => {
    steps.push(step);
    const { workload, sparsity, machine } = step.spec;
    const seconds = workload.batch * (1 - sparsity.value / 2) * (step.trained.denseGradients ? 1.5 : 1);
    return Promise.resolve({
      cycles: seconds * machine.machine.clockHz,
      seconds,
      passes: 1,
      groups: 1,
      boundBy: 'compute',
      joules: 27 * seconds,
    });
  };
  return { timeStep, steps };
}

export function ran(plan: Plan, timeStep: TimeStep = asking().timeStep): Promise<PlanResult> {
  return runPlan(plan, timeStep, { onProgress: () => undefined });
}
