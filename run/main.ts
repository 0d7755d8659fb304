// The main job: compile a model, run it, run its dense twins, and say what each effect costs (twins.ts). The dense twins are
// the same model without zeros, once in the mapping that is best for it and once in the mapping of the sparse run.

import { createHash } from 'node:crypto';
import { buildGraph } from '../compiler/graph/build.ts';
import { type Graph, withoutZeros } from '../compiler/graph/graph.ts';
import { encodeProgram } from '../compiler/lower/codec.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { type CurvePoint, runCurve } from './curve.ts';
import { chooseMapping } from './mapper.ts';
import type { MappingCache } from './mapper/cache.ts';
import { runProgram } from './program.ts';
import type { Twins, WaferResult } from './result.ts';
import { pooledTimer, type Timer } from './timer.ts';
import { runTwins } from './twins.ts';
import { mapWafer, type OperatorMap, timerPerPe } from './waferMap.ts';

export interface MainOptions {
  readonly workers: number;
  /** Run the twins that say what each effect costs: four more runs of the sparse model. */
  readonly twins: boolean;
  readonly onProgress: (done: number, total: number, label: string) => void;
  readonly signal?: AbortSignal;
  /** Where mappings that were found before lie; nowhere unless given. */
  readonly cache?: MappingCache | undefined;
  /** Ask also for the counts of every PE and for the model at other sparsities. */
  readonly detail?: boolean;
  /** Ask also for the counts of every PE alone. */
  readonly map?: boolean;
}

/** What pictures show beyond a report. */
export interface Detail {
  readonly map: readonly OperatorMap[];
  readonly curve: readonly CurvePoint[];
}

export interface MainResult {
  readonly spec: ModelSpec;
  readonly graph: Graph;
  readonly wafer: WaferResult;
  /** The dense model in its own best mapping, and in the mapping of `wafer`. */
  readonly waferDense: WaferResult;
  readonly waferDenseSameMapping: WaferResult;
  /** Of each operator of `wafer`; null where they were not asked for. */
  readonly twins: readonly Twins[] | null;
  /** Null where it was not asked for. */
  readonly detail: Detail | null;
  /** The counts of every PE; null where neither they nor more was asked for. */
  readonly map: readonly OperatorMap[] | null;
  /** sha256 of the program file. */
  readonly programHash: string;
  /** What depends on the host. */
  readonly run: { readonly workers: number; readonly wallSeconds: number };
}

export async function runModel(spec: ModelSpec, { signal, ...options }: MainOptions): Promise<MainResult> {
  const timer = pooledTimer(options.workers, signal);
  try {
    return await runModelOn(spec, { ...options, timer });
  } finally {
    await timer.close();
  }
}

/** One model of several on the same timer; `workers` are what the timer has. */
export async function runModelOn(
  spec: ModelSpec,
  options: Omit<MainOptions, 'signal'> & { readonly timer: Timer },
): Promise<MainResult> {
  const from = performance.now();
  const result = await runAll(spec, options);
  const { workers } = options;
  return { ...result, run: { workers, wallSeconds: (performance.now() - from) / 1000 } };
}

async function runAll(
  spec: ModelSpec,
  {
    timer,
    twins: isAsked,
    onProgress,
    cache,
    detail: isDetailed = false,
    map: isMapped = isDetailed,
  }: Pick<MainOptions, 'twins' | 'onProgress' | 'cache' | 'detail' | 'map'> & {
    readonly timer: Timer;
  },
): Promise<Omit<MainResult, 'run'>> {
  const machine = withBankConflicts(spec.machine.machine);
  const graph = buildGraph(spec);
  const dense = withoutZeros(graph);
  const choose = (of: Graph, label: string): Promise<Mapping> =>
    chooseMapping(of, machine, spec.mapping, timer, (i, all) => onProgress(i, all, label), cache);
  const mapping = await choose(graph, 'mapping');
  const denseMapping = await choose(dense, 'dense mapping');
  const program = lower(placeGraph(graph, machine, mapping));
  const wafer = await runProgram(program, { timer: isMapped || isDetailed ? timerPerPe(timer) : timer, onProgress });
  const waferDense = await runProgram(lower(placeGraph(dense, machine, denseMapping)), { timer });
  const waferDenseSameMapping = await runProgram(lower(placeGraph(dense, machine, mapping)), { timer });
  const twins = isAsked ? await runTwins(program, wafer, { timer, onProgress }) : null;
  const map = isMapped || isDetailed ? await mapWafer(program, wafer, timer) : null;
  const detail =
    isDetailed && map !== null ? { map, curve: await runCurve(spec, machine, mapping, { timer, onProgress }) } : null;
  const programHash = createHash('sha256').update(encodeProgram(program)).digest('hex');
  return { spec, graph, wafer, waferDense, waferDenseSameMapping, twins, detail, map, programHash };
}
