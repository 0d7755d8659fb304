// A training plan, ready to be run: every default filled in, every rule checked.

import type { Lora } from '../compiler/graph/adapters.ts';
import type { GptSparsity, GptSpec, Recompute } from '../compiler/model/spec.ts';
import type { dynamicMethods } from './schema.ts';

export interface Plan {
  /** What reports call it. */
  readonly name: string;
  readonly origin: { readonly file: string; readonly flags: readonly string[] };
  /** Its machine and GPU are those of the plan; its workload and sparsity are those of no phase. */
  readonly model: GptSpec;
  /** Wafers that share a batch. */
  readonly systems: number;
  /** What is kept for the way back. */
  readonly recompute: Recompute;
  readonly phases: readonly Phase[];
}

export type PhaseKind = 'dense' | 'sparse' | 'redensification' | 'dynamic sparse' | 'LoRA';

export interface Phase {
  readonly name: string;
  readonly kind: PhaseKind;
  /** Sequences of a step, all systems together. */
  readonly batch: number;
  readonly sequence: number;
  /** One after the other. */
  readonly stages: readonly Stage[];
  readonly dynamic: Dynamic | null;
  readonly lora: Lora | null;
}

export interface Stage {
  readonly sparsity: GptSparsity;
  readonly steps: number;
}

/** Zeros that move: SET (Mocanu et al. 2018), RigL (Evci et al. 2020). */
export interface Dynamic {
  readonly method: (typeof dynamicMethods)[number];
  /** Steps from one update of the masks to the next. */
  readonly every: number;
  /** Share of the steps after which masks stay. */
  readonly until: number;
}

/** Steps that end with masks moved. */
export function maskUpdates({ every, until }: Dynamic, steps: number): number {
  return Math.floor((until * steps) / every);
}
