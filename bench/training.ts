// A training step of a whole model: every weight of every layer in all its passes (forward, run again, gradients by
// activations and by weights) and every other kernel, in the mapping that the mapper takes, which is given. Equal kernels
// are run once: dense matrices of a shape are all alike, sparse ones are not. CPU time of one thread.

import { buildGraph } from '../compiler/graph/build.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import { loadModel } from '../compiler/model/load.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { chooseMapping } from '../run/mapper.ts';
import { runProgram } from '../run/program.ts';
import { inProcessTimer } from '../run/timer.ts';
import { host, inTurn, table } from './measure.ts';

const RUNS = 3;
const steps = [
  { preset: 'gpt3-xl', sparsity: 0, columns: 368, tokensPerPe: 67, batch: 128 },
  { preset: 'gpt3-xl', sparsity: 0.75, columns: 187, tokensPerPe: 34, batch: 128 },
];

const programs = await Promise.all(
  steps.map(async ({ preset, sparsity, columns, tokensPerPe, batch }) => {
    const set = ['workload.kind=train', `workload.batch=${batch}`, 'sparsity.seed=1'];
    const mapped = [`mapping.columns=${columns}`, `mapping.tokensPerPe=${tokensPerPe}`];
    const spec = loadModel(preset, { sparsity, set: [...set, ...mapped] });
    const machine = withBankConflicts(spec.machine.machine);
    const graph = buildGraph(spec);
    const mapping = await chooseMapping(graph, machine, spec.mapping, inProcessTimer());
    return lower(placeGraph(graph, machine, mapping));
  }),
);
const turns = await inTurn(
  RUNS,
  programs.map((program) => () => runProgram(program, { timer: inProcessTimer() })),
);
const rows = turns.map(({ cpu, result }, i) => {
  const { preset, sparsity, columns, tokensPerPe, batch } = steps[i];
  const { operators } = programs[i];
  const shapes = operators.flatMap((operator) => operator.steps.map(({ shape }) => JSON.stringify(shape)));
  return [
    `${preset}, batch ${batch}, ${sparsity * 100} % zeros`,
    `C = ${columns}, T = ${tokensPerPe}`,
    String(result.cycles),
    String(new Set(shapes).size),
    cpu.toPrecision(3),
  ];
});
console.log(`Training steps, one thread, median of ${RUNS} runs in turn; ${host()}\n`);
console.log(table(['training step', 'mapping', 'cycles', 'different kernels', 'CPU, s'], rows));
