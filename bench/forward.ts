// A forward pass of a whole model: every weight of every layer and every other kernel, in the mapping that the mapper
// takes. The mapper's own runs are not counted; each model runs in a process of its own, so that its memory is known.
// With two workers beside one: how much of a second core is gained where one is free; as the time that passed, and, since
// cores are seldom free, as CPU time of the thread that had most to do.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildGraph } from '../compiler/graph/build.ts';
import { lower } from '../compiler/lower/lower.ts';
import { placeGraph } from '../compiler/lower/placement.ts';
import { loadModel } from '../compiler/model/load.ts';
import { withBankConflicts } from '../emulator/machine/spec.ts';
import { accumulatorsText } from '../kernels/spmm/accumulators.ts';
import { chooseMapping } from '../run/mapper.ts';
import { runProgram } from '../run/program.ts';
import { inProcessTimer, pooledTimer, type Timer } from '../run/timer.ts';
import { host, table, threadSeconds } from './measure.ts';

const models = [
  { preset: 'gpt3-xl', batch: 128, pairs: 5, warm: true },
  // In a minute of work it does not show that threads start and code is compiled.
  { preset: 'gpt3-175b', batch: 64, pairs: 1, warm: false },
];
const SPARSITY = 0.75;

const passSchema = z.object({
  cycles: z.number(),
  weights: z.number(),
  mapping: z.string(),
  cpu: z.number(),
  matmulCpu: z.number(),
  mebibytes: z.number(),
  /** Of one worker over two, in turn: wall seconds, and CPU seconds of the busiest thread. */
  gains: z.array(z.number()),
  busiest: z.array(z.number()),
});
type Pass = z.infer<typeof passSchema>;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function forward({ preset, batch, pairs, warm }: (typeof models)[number]): Promise<Pass> {
  const spec = loadModel(preset, { sparsity: SPARSITY, set: [`workload.batch=${batch}`] });
  const machine = withBankConflicts(spec.machine.machine);
  const graph = buildGraph(spec);
  const mapping = await chooseMapping(graph, machine, spec.mapping, inProcessTimer());
  const program = lower(placeGraph(graph, machine, mapping));
  const matmuls = { ...program, operators: program.operators.filter(({ steps }) => steps[0].shape.kernel === 'spmm') };
  const timed = async (run: typeof program, timer: Timer): Promise<{ cpu: number; cycles: number }> => {
    const before = cpuSeconds();
    const { cycles } = await runProgram(run, { timer });
    return { cpu: cpuSeconds() - before, cycles };
  };
  const { cpu, cycles } = await timed(program, inProcessTimer());
  const { cpu: matmulCpu } = await timed(matmuls, inProcessTimer());
  const mebibytes = process.resourceUsage().maxRSS / 1024;
  const gains: number[] = [];
  const busiest: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const one = await onPool(program, 1, warm);
    const two = await onPool(program, 2, warm);
    gains.push(one.wall / two.wall);
    busiest.push(one.busiest / two.busiest);
  }
  const weights = graph.nodes.reduce((sum, { operator }) => {
    if (operator.kind === 'linear') return sum + operator.in * operator.out;
    return operator.kind === 'lmHead' ? sum + operator.width * operator.vocabulary : sum;
  }, 0);
  const name = `C = ${mapping.columns}, T = ${mapping.tokensPerPe}, K = ${accumulatorsText(mapping.accumulators)}`;
  return { cycles, weights, mapping: name, cpu, matmulCpu, mebibytes, gains, busiest };
}

interface Pooled {
  /** Seconds that passed, and CPU seconds of the busiest thread. */
  readonly wall: number;
  readonly busiest: number;
}

/** A pass on a pool that, if `warm`, has run one before, so that starting threads and compiling is not counted. */
async function onPool(program: Parameters<typeof runProgram>[0], workers: number, warm: boolean): Promise<Pooled> {
  const timer = pooledTimer(workers);
  // By another name, so that nothing of it is remembered.
  if (warm) await runProgram({ ...program, machine: { ...program.machine, name: 'warm-up' } }, { timer });
  const before = threadSeconds();
  const from = performance.now();
  await runProgram(program, { timer });
  const wall = (performance.now() - from) / 1000;
  const threads = [...threadSeconds()].map(([id, seconds]) => seconds - (before.get(id) ?? 0));
  await timer.close();
  return { wall, busiest: Math.max(...threads) };
}

/** Median and extremes. */
function spread(ratios: readonly number[]): string {
  const sorted = ratios.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return '-';
  return `${sorted[sorted.length >> 1].toFixed(2)} (${sorted[0].toFixed(2)} .. ${sorted[sorted.length - 1].toFixed(2)})`;
}

const [preset] = process.argv.slice(2);
const asked = models.find((model) => model.preset === preset);
if (asked !== undefined) console.log(JSON.stringify(await forward(asked)));
else {
  const rows = models.map((model) => {
    const file = fileURLToPath(import.meta.url);
    const { stdout, stderr, status } = spawnSync(process.execPath, [file, model.preset], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${model.preset} ended with ${status}: ${stderr}`);
    const pass = passSchema.parse(JSON.parse(stdout));
    return [
      `${model.preset}, batch ${model.batch}`,
      pass.mapping,
      (pass.weights / 1e9).toPrecision(3),
      String(pass.cycles),
      pass.matmulCpu.toPrecision(3),
      pass.cpu.toPrecision(3),
      ((pass.matmulCpu * 1e9) / pass.weights).toPrecision(2),
      pass.mebibytes.toFixed(0),
      spread(pass.gains),
      spread(pass.busiest),
    ];
  });
  console.log(`Forward passes, ${SPARSITY * 100} % of the weights zero, one thread; ${host()}\n`);
  const heads = ['model', 'mapping', 'weights, 10^9', 'cycles', 'matmuls, CPU s', 'all kernels, CPU s'];
  console.log(
    table([...heads, 'ns a weight', 'peak memory, MiB', 'one worker over two, wall', 'the same, busiest thread'], rows),
  );
}
