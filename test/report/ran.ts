// Results to report on: small models, run in this process.

import { buildGraph } from '../../compiler/graph/build.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import { parseDocument } from '../../compiler/model/document.ts';
import { resolveModel } from '../../compiler/model/resolve.ts';
import { withoutZeros } from '../../compiler/graph/graph.ts';
import type { MainResult } from '../../run/main.ts';
import { chooseMapping } from '../../run/mapper.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { runTwins } from '../../run/twins.ts';
import { runCurve } from '../../run/curve.ts';
import { mapWafer } from '../../run/waferMap.ts';

const machine = { preset: 'wse2', fabric: { width: 8, height: 8 } };

export const gptFile = {
  layers: 2,
  width: 32,
  heads: 4,
  ff: 64,
  vocabulary: 50,
  context: 16,
  workload: { batch: 2, sequence: 16 },
  sparsity: 0.5,
  machine,
} as const;

export const matmulFile = {
  kind: 'matmul',
  in: 64,
  out: 40,
  workload: { tokens: 32 },
  sparsity: 0.5,
  machine,
} as const;

export async function resultOf(file: Readonly<Record<string, unknown>>): Promise<MainResult> {
  const spec = resolveModel(parseDocument('small.json', JSON.stringify(file)));
  const timer = inProcessTimer();
  const graph = buildGraph(spec);
  const wafer = spec.machine.machine;
  const mapping = await chooseMapping(graph, wafer, spec.mapping, timer);
  const program = lower(placeGraph(graph, wafer, mapping));
  const ran = await runProgram(program, { timer });
  const twins = await runTwins(program, ran, { timer });
  const dense = await runProgram(lower(placeGraph(withoutZeros(graph), wafer, mapping)), { timer });
  const programHash = '0123456789abcdef'.repeat(4);
  const run = { workers: 1, wallSeconds: 0.5 };
  const map = await mapWafer(program, ran, timer);
  const detail = { map, curve: await runCurve(spec, wafer, mapping, { timer }) };
  return {
    spec,
    graph,
    wafer: ran,
    waferDense: dense,
    waferDenseSameMapping: dense,
    twins,
    detail,
    map,
    programHash,
    run,
  };
}
