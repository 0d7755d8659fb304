// One step of a phase on one system: what is asked of the wafer, and what comes back.

import type { Graph } from '../compiler/graph/graph.ts';
import type { Trained } from '../compiler/graph/trained.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { GptSpec, Recompute } from '../compiler/model/spec.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { sumOfCauses } from '../emulator/program/causes.ts';
import { chooseMapping } from '../run/mapper.ts';
import { boundOf } from '../run/bound.ts';
import { joulesOf } from '../run/energy.ts';
import { runProgram } from '../run/program.ts';
import type { Bound } from '../run/result.ts';
import type { Timer } from '../run/timer.ts';
import type { MappingCache } from '../run/mapper/cache.ts';

export interface TrainingStep {
  /** Its workload and sparsity are those of the step; batch is what one system has of it. */
  readonly spec: GptSpec;
  /** With adapters, where there are any. */
  readonly graph: Graph;
  readonly trained: Trained;
  readonly recompute: Recompute;
}

export interface StepTime {
  readonly cycles: number;
  readonly seconds: number;
  /** Micro-batches: the weights stream once for each, and gradients leave once for each. */
  readonly passes: number;
  /** Groups of columns: each adds up the gradients of its own tokens, and all of them leave. */
  readonly groups: number;
  /** An estimate, of the wafer alone (run/energy.ts). */
  readonly joules: number;
  /** What most cycles of PEs went into. */
  readonly boundBy: Bound;
}

export interface StepOptions {
  readonly onProgress: (done: number, total: number, label: string) => void;
}

export type TimeStep = (step: TrainingStep, options: StepOptions) => Promise<StepTime>;

export interface WaferOptions {
  readonly timer: Timer;
  /** Where mappings that were found before lie; nowhere unless given. */
  readonly cache: MappingCache | undefined;
}

/** Steps on the emulated wafer, each in the mapping that is best for it. */
export function waferSteps({ timer, cache }: WaferOptions): TimeStep {
  return async ({ spec, graph, trained, recompute }, { onProgress }) => {
    const machine = withBankConflicts(spec.machine.machine);
    const training = { recompute, ...trained, layers: spec.shape.layers };
    const step: Graph = { ...graph, training };
    const onTry = (done: number, of: number): void => onProgress(done, of, 'mapping');
    const mapping = await chooseMapping(step, machine, spec.mapping, timer, onTry, cache);
    const result = await runProgram(lower(placeGraph(step, machine, mapping)), { timer, onProgress });
    const { cycles, seconds, operators } = result;
    const { passes, groups } = mapping;
    const where = operators.map((operator) => operator.where).reduce(sumOfCauses);
    return { cycles, seconds, passes, groups, joules: joulesOf(machine, result), boundBy: boundOf(where) };
  };
}
