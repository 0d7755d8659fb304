// The report of a run as one document: what terminal, JSON and later formats show. All but `run` depends on nothing but
// the input; `run` is about the host and the command line, and no hash covers it.

import { type GpuResult, gpuResult } from '../baselines/gpu/model.ts';
import { gpuTrainingResult } from '../baselines/gpu/training.ts';
import { peakFacts, type PeakFacts } from '../baselines/gpu/peak.ts';
import { denseMultiplyAdds, type Graph, keptMultiplyAdds, withoutZeros } from '../compiler/graph/graph.ts';
import { trainingFlops } from '../compiler/graph/trainingFlops.ts';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import type { MemoryUse } from '../compiler/mapping/memoryUse.ts';
import { parameterCount } from '../compiler/model/parameters.ts';
import type { MappingRequest, ModelSpec } from '../compiler/model/spec.ts';
import type { MainResult } from '../run/main.ts';
import { boundByTwins } from '../run/bound.ts';
import { EFFECTS, type OperatorResult, type StepResult, type Twins, type WaferResult } from '../run/result.ts';
import { type EffectCost, effectCosts } from './effects.ts';
import { type EnergyReport, energyReport } from './energy.ts';
import { type EngineCount, enginesOf } from './engines.ts';
import { sha256 } from './hash.ts';
import { type MachinePart, machinePart } from './machine.ts';
import { notModelled } from './notModelled.ts';
import { linesOf } from './operatorTable.ts';

export const REPORT_FORMAT = 'wafer-emulator report 1';

export type Totals = Pick<WaferResult, 'cycles' | 'seconds' | 'tokensPerSecond' | 'utilisation'>;

/** An operator without how its cycles were found. With its twins `boundBy` follows from them. */
export type ReportedOperator = Omit<OperatorResult, 'steps' | 'traffic'> & {
  readonly steps: readonly Pick<StepResult, 'kernel' | 'repeat' | 'cycles'>[];
  readonly twins?: Twins;
};

export interface Speedup {
  /** Over the dense GPU, its kernels summed (kappa 1, generous to it). */
  readonly overGpu: number;
  /** Such GPUs, perfectly parallel at kappa 1, that would keep up; the same number as overGpu. */
  readonly gpusEqualled: number;
  readonly overDenseWafer: number;
  readonly overDenseWaferSameMapping: number;
  /** 1 / (share of the multiply-adds left), attention and LM head counted in full; null where none is left. */
  readonly ideal: number | null;
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  readonly model: Pick<ModelSpec, 'name' | 'kind' | 'shape' | 'workload' | 'sparsity'>;
  readonly machine: MachinePart;
  /** `asked`: what the user fixed, null where the mapper chose. */
  readonly mapping: Mapping & { readonly padding: number; readonly asked: MappingRequest };
  readonly wafer: Totals;
  /** The same wafer without zeros, in its own best mapping; and in the mapping of `wafer`. */
  readonly waferDense: Totals & { readonly mapping: Mapping; readonly sameMapping: Totals };
  readonly gpu: GpuResult & PeakFacts;
  readonly speedup: Speedup;
  /** Cycles of one pass; mapping.passes of them make the run. */
  readonly operators: readonly ReportedOperator[];
  /** What each effect costs, all operators and passes together: a run less its twin. Null where none was run. */
  readonly effects: readonly EffectCost[] | null;
  readonly memory: MemoryUse;
  /** Of the run on the wafer; an estimate, which no hash covers. */
  readonly energy: EnergyReport;
  readonly notModelled: readonly string[];
  /** `result` is the same with twins and without. */
  readonly hashes: {
    readonly input: string;
    readonly program: string;
    readonly result: string;
    readonly twins: string | null;
  };
  readonly run: HostPart;
}

export interface HostPart {
  readonly file: string | null;
  readonly flags: readonly string[];
  readonly workers: number;
  readonly wallSeconds: number;
  /** Cycles of all PEs of the sparse run and all its twins over the wall time: what a stepped engine would need. */
  readonly equivalentPeCyclesPerSecond: number;
  readonly engines: readonly EngineCount[];
}

export function buildReport(result: MainResult): Report {
  const { spec, graph, wafer, waferDense, waferDenseSameMapping, twins, programHash } = result;
  const { name, kind, shape, workload, sparsity } = spec;
  const document = {
    format: REPORT_FORMAT,
    model: { name, kind, shape, workload, sparsity },
    machine: machinePart(spec.machine),
    mapping: { ...wafer.mapping, padding: wafer.padding, asked: spec.mapping },
    wafer: totals(wafer),
    waferDense: { ...totals(waferDense), mapping: waferDense.mapping, sameMapping: totals(waferDenseSameMapping) },
    gpu: { ...gpuOf(spec, graph), ...peakFacts(spec.gpu) },
    operators: wafer.operators.map(reported),
    memory: wafer.memory,
    notModelled: notModelled(spec),
  } as const;
  const speedup = speedupOf(result, document.gpu.seconds);
  const hashes = {
    input: inputHash(spec),
    program: programHash,
    result: resultHash({ ...document, speedup }),
    twins: twins === null ? null : sha256(twins),
  };
  const operators = document.operators.map((operator, i) => withTwins(operator, twins?.[i]));
  const effects = effectsOf(operators, wafer);
  const energy = energyReport(spec.machine.machine, spec.machine.sources, wafer);
  return { ...document, operators, effects, energy, speedup, hashes, run: hostPart(result) };
}

/** An operator that has twins is bound by what they say. */
export function withTwins(operator: ReportedOperator, twins: Twins | undefined): ReportedOperator {
  if (twins === undefined) return operator;
  return { ...operator, boundBy: boundByTwins(operator.cycles, twins).bound, twins };
}

/** Null where an operator has no twins. */
export function effectsOf(
  operators: readonly ReportedOperator[],
  { mapping }: Pick<WaferResult, 'mapping'>,
): EffectCost[] | null {
  const places = linesOf(operators).flatMap(({ twins, ...line }) => (twins === undefined ? [] : [{ ...line, twins }]));
  return places.length === 0 ? null : effectCosts(places, mapping.passes);
}

type ResultPart = 'wafer' | 'waferDense' | 'gpu' | 'speedup' | 'operators' | 'memory' | 'mapping';

/** Of what was computed, twins aside: neither the names of files nor who said which constant. */
export function resultHash(report: Readonly<Record<ResultPart, unknown>>): string {
  const { wafer, waferDense, gpu, speedup, operators, memory, mapping } = report;
  return sha256({ wafer, waferDense, gpu, speedup, operators, memory, mapping });
}

/** Of what decides the results, wherever it came from. */
export function inputHash(spec: ModelSpec): string {
  const { kind, shape, workload, sparsity, gpu, mapping } = spec;
  return sha256({ kind, shape, workload, sparsity, gpu, mapping, machine: { ...spec.machine.machine, name: null } });
}

export function totals({ cycles, seconds, tokensPerSecond, utilisation }: WaferResult): Totals {
  return { cycles, seconds, tokensPerSecond, utilisation };
}

export function reported({ steps, traffic: _traffic, ...operator }: OperatorResult): ReportedOperator {
  return { ...operator, steps: steps.map(({ kernel, repeat, cycles }) => ({ kernel, repeat, cycles })) };
}

/** Of a training step the same step, all activations kept: that its memory may not hold them is not held against it. */
function gpuOf(spec: ModelSpec, graph: Graph): GpuResult {
  const { training } = graph;
  if (training === null || spec.kind !== 'gpt') return gpuResult(graph, spec.gpu);
  const parameters = parameterCount(spec.shape);
  return gpuTrainingResult(graph, spec.gpu, { trained: training, parameters, recompute: false });
}

function speedupOf({ graph, wafer, waferDense, waferDenseSameMapping }: MainResult, gpuSeconds: number): Speedup {
  const overGpu = gpuSeconds / wafer.seconds;
  return {
    overGpu,
    gpusEqualled: overGpu,
    overDenseWafer: waferDense.seconds / wafer.seconds,
    overDenseWaferSameMapping: waferDenseSameMapping.seconds / wafer.seconds,
    ideal: idealSpeedup(graph),
  };
}

/** 1 / (share of the multiply-adds left), of a training step those of all its passes; null where none is left. */
export function idealSpeedup(graph: Graph): number | null {
  const { nodes, sequence, training } = graph;
  if (training !== null)
    return trainingFlops(withoutZeros(graph), training).total / trainingFlops(graph, training).total;
  const dense = nodes.reduce((sum, { operator }) => sum + denseMultiplyAdds(operator, sequence), 0);
  const kept = nodes.reduce((sum, { operator }) => sum + keptMultiplyAdds(operator, sequence), 0);
  return kept === 0 ? null : dense / kept;
}

function hostPart({ spec, wafer, waferDense, waferDenseSameMapping, twins, run }: MainResult): HostPart {
  const { width, height } = spec.machine.machine.fabric;
  const cycles = wafer.cycles + waferDense.cycles + waferDenseSameMapping.cycles + cyclesOfTwins(wafer, twins);
  return {
    ...spec.origin,
    ...run,
    equivalentPeCyclesPerSecond: (cycles * width * height) / run.wallSeconds,
    engines: enginesOf(wafer.operators),
  };
}

/** Of the runs with one effect taken away; `noWaiting` is none. */
function cyclesOfTwins({ operators, mapping }: WaferResult, twins: MainResult['twins']): number {
  if (twins === null) return 0;
  const ofRuns = EFFECTS.filter((effect) => effect !== 'noWaiting');
  const ofPass = operators.map(({ cycles }, i) =>
    ofRuns.reduce((sum, effect) => sum + (twins[i][effect] ?? cycles), 0),
  );
  return mapping.passes * ofPass.reduce((sum, each) => sum + each, 0);
}
