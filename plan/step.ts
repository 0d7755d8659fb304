// One step of a phase on one system: what is asked of the wafer, and what comes back.

import type { Graph } from '../compiler/graph/graph.ts';
import type { Trained } from '../compiler/graph/trained.ts';
import type { GptSpec } from '../compiler/model/spec.ts';
import { inputError } from '../emulator/errors.ts';
import type { Bound } from '../run/result.ts';
import type { Timer } from '../run/timer.ts';
import type { MappingCache } from '../run/mapper/cache.ts';

export interface TrainingStep {
  /** Its workload and sparsity are those of the step; batch is what one system has of it. */
  readonly spec: GptSpec;
  /** With adapters, where there are any. */
  readonly graph: Graph;
  readonly trained: Trained;
  readonly recompute: boolean;
}

export interface StepTime {
  readonly cycles: number;
  readonly seconds: number;
  /** Micro-batches: the weights stream once for each, and gradients leave once for each. */
  readonly passes: number;
  /** Groups of columns: each adds up the gradients of its own tokens, and all of them leave. */
  readonly groups: number;
  /** Cycles in which cores issue, all PEs and passes together. */
  readonly busyCycles: number;
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

/** Steps on the emulated wafer. */
export function waferSteps(_options: WaferOptions): TimeStep {
  return () => {
    throw inputError(
      'train: training steps are not there yet: this version emulates forward passes only (emulate <model>), and a plan is not timed without them',
    );
  };
}
