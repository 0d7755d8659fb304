// The main job: compile a model, run it, and run its dense twins. The twins are the same model without zeros, once in the
// mapping that is best for it and once in the mapping of the sparse run.

import { createHash } from 'node:crypto';
import { buildGraph } from '../compiler/graph/build.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { encodeProgram } from '../compiler/lower/codec.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { chooseMapping } from './mapper.ts';
import { runProgram } from './program.ts';
import type { WaferResult } from './result.ts';
import { pooledTimer, type Timer } from './timer.ts';

export interface MainOptions {
  readonly workers: number;
  readonly onProgress: (done: number, total: number, label: string) => void;
  readonly signal?: AbortSignal;
}

export interface MainResult {
  readonly spec: ModelSpec;
  readonly graph: Graph;
  readonly wafer: WaferResult;
  /** The dense model in its own best mapping, and in the mapping of `wafer`. */
  readonly waferDense: WaferResult;
  readonly waferDenseSameMapping: WaferResult;
  /** sha256 of the program file. */
  readonly programHash: string;
  /** What depends on the host. */
  readonly run: { readonly workers: number; readonly wallSeconds: number };
}

export async function runModel(spec: ModelSpec, { workers, onProgress, signal }: MainOptions): Promise<MainResult> {
  const timer = pooledTimer(workers, signal);
  try {
    return await runModelOn(spec, { timer, workers, onProgress });
  } finally {
    await timer.close();
  }
}

/** One model of several on the same timer; `workers` are what the timer has. */
export async function runModelOn(
  spec: ModelSpec,
  { timer, workers, onProgress }: Omit<MainOptions, 'signal'> & { readonly timer: Timer },
): Promise<MainResult> {
  const from = performance.now();
  const result = await runTwins(spec, timer, onProgress);
  return { ...result, run: { workers, wallSeconds: (performance.now() - from) / 1000 } };
}

async function runTwins(
  spec: ModelSpec,
  timer: Timer,
  onProgress: MainOptions['onProgress'],
): Promise<Omit<MainResult, 'run'>> {
  const machine = withBankConflicts(spec.machine.machine);
  const graph = buildGraph(spec);
  const dense = denseTwin(graph);
  const mapping = await chooseMapping(graph, machine, spec.mapping, timer, (i, of) => onProgress(i, of, 'mapping'));
  const denseMapping = await chooseMapping(dense, machine, spec.mapping, timer, (i, of) =>
    onProgress(i, of, 'dense mapping'),
  );
  const program = lower(placeGraph(graph, machine, mapping));
  const wafer = await runProgram(program, { timer, onProgress });
  const waferDense = await runProgram(lower(placeGraph(dense, machine, denseMapping)), { timer });
  const waferDenseSameMapping = await runProgram(lower(placeGraph(dense, machine, mapping)), { timer });
  const programHash = createHash('sha256').update(encodeProgram(program)).digest('hex');
  return { spec, graph, wafer, waferDense, waferDenseSameMapping, programHash };
}

/** The same graph without zeros. */
export function denseTwin(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.operator.kind === 'linear' ? { ...node, operator: { ...node.operator, sparsity: 0 } } : node,
  );
  return { ...graph, nodes };
}
