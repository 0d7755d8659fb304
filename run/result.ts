// What a run gives: counts, and nothing that depends on the host. Cycles of a pass are those of its operators one after
// the other (a barrier between any two kernels); cycles of the run are those of all passes.

import type { MemoryUse } from '../compiler/mapping/memoryUse.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { OperatorKind } from '../compiler/graph/graph.ts';
import type { Where } from '../emulator/program/causes.ts';

/** How the cycles of a kernel were found. */
export interface EngineUse {
  readonly engine: 'stepped' | 'streamed';
  readonly path: string;
  /** Why not a faster way; empty for the fastest. */
  readonly why: string;
}

/** Slots that a PE issues. */
export type Slots = Pick<Where, 'compute' | 'overhead' | 'reduce'>;

export interface StepResult extends EngineUse {
  readonly kernel: string;
  /** Times this kernel runs in a pass, one after the other; `cycles` are those of one. */
  readonly repeat: number;
  readonly cycles: number;
  /** Of the PE that issues the most, in one run; the start of the kernel is not among them. */
  readonly slots: Slots;
}

export type Bound = 'compute' | 'overhead' | 'reduction' | 'weight stream' | 'load imbalance' | 'fabric';

/** What an operator moves in one pass, on the whole wafer. */
export interface OperatorTraffic {
  /** Wavelets that go from a router to a neighbouring router. */
  readonly hops: number;
  /** Words of 32 bits that pass the edge of the wafer. */
  readonly edgeWords: number;
}

export interface OperatorResult {
  /** Node of the graph, e.g. h.3.mlp.c_fc. */
  readonly name: string;
  readonly kind: OperatorKind;
  /** Kernels of the operator, in the order they run. */
  readonly kernel: string;
  readonly steps: readonly StepResult[];
  /** Of one pass, kernel starts included. */
  readonly cycles: number;
  /** Of the cycles of a pass. */
  readonly share: number;
  /** Slots of multiply-adds over all cycles of all PEs of the wafer. */
  readonly utilisation: number;
  readonly boundBy: Bound;
  /** Cycles of all PEs in use, by cause; they add up to `cycles` times those PEs. */
  readonly where: Where;
  readonly traffic: OperatorTraffic;
}

/** What a twin takes away. */
export const EFFECTS = [
  'balancedZeros',
  'unboundedAccumulators',
  'noOverheads',
  'freeIngress',
  'noWaiting',
] as const satisfies readonly (keyof Twins)[];

export type Effect = (typeof EFFECTS)[number];

/**
 * Cycles of an operator, of one pass, each time with one effect taken away (twins.ts says how); null where the operator has
 * no such effect.
 */
export interface Twins {
  readonly balancedZeros: number | null;
  readonly unboundedAccumulators: number | null;
  readonly noOverheads: number;
  readonly freeIngress: number | null;
  readonly noWaiting: number;
  /** Of the PE that issues the most, of all kernels of the operator: with their starts they are `noWaiting`. */
  readonly slots: Slots;
  /** Those that unboundedAccumulators has. */
  readonly accumulators: number | null;
}

export interface WaferResult {
  readonly cycles: number;
  readonly seconds: number;
  /** Tokens of the workload (padding not counted) a second. */
  readonly tokensPerSecond: number;
  readonly utilisation: number;
  readonly mapping: Mapping;
  /** Token slots of all passes that hold no token. */
  readonly padding: number;
  readonly operators: readonly OperatorResult[];
  readonly memory: MemoryUse;
}
