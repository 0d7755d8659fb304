// How many PE-cycles a second the stepped engine runs, on a 64 x 64 mesh: a matmul whose cores compute most of the time,
// one whose cores mostly pass partial sums on, and chains in which every PE moves a wavelet in every cycle. Then the same
// matmuls, on meshes from small to large, in one thread and in two bands on two workers.

import { machinePresets } from '../emulator/machine/presets/index.ts';
import { latenciesOf } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../emulator/program/causes.ts';
import { type FabricProgram, PORT, type Route } from '../emulator/program/fabric.ts';
import { thread } from '../emulator/program/instruction.ts';
import { timingOnly } from '../emulator/stepped/cut.ts';
import { runStepped } from '../emulator/stepped/engine.ts';
import { spmmProgram } from '../kernels/spmm/program.ts';
import { openBands } from '../run/bandPool.ts';
import { host, inTurn, measure, milliseconds, millions, table } from './measure.ts';
import { shapeOf } from './spmmShape.ts';

const SIDE = 64;
const matmul = { out: SIDE, in: 2048, rows: SIDE, cols: SIDE, tokens: 64, accumulators: 2 };

/** On every row, every PE adds what comes from the west to its own and sends it on. */
function chains(wavelets: number): FabricProgram {
  const routes: Route[] = [];
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      if (x > 0) routes.push({ x, y, color: (x + 1) % 2, from: PORT.W, to: [PORT.R] });
      if (x < SIDE - 1) routes.push({ x, y, color: x % 2, from: PORT.R, to: [PORT.E] });
    }
  const cores = Array.from({ length: SIDE }, (_, x) => {
    const input = x > 0 ? { input: (x + 1) % 2 } : {};
    const output = x < SIDE - 1 ? { output: x % 2 } : {};
    return { threads: [thread([{ slots: wavelets, cause: CAUSE.reduce, ...input, ...output }])] };
  });
  return {
    name: 'chains',
    width: SIDE,
    height: SIDE,
    routes,
    streams: [],
    cores: Array.from({ length: SIDE * SIDE }, (_, pe) => cores[pe % SIDE]),
    semaphores: 0,
    edgeColors: [],
    code: [],
    memoryWords: 0,
  };
}

const cases: readonly (readonly [string, FabricProgram])[] = [
  ['matmul 64 x 2048, T = 64, 75 % sparse', spmmProgram(shapeOf({ ...matmul, sparsity: 0.75 }))],
  ['the same, 99 % sparse', spmmProgram(shapeOf({ ...matmul, sparsity: 0.99 }))],
  ['chains of 2000 wavelets on every row', chains(2000)],
];

const latencies = latenciesOf(machinePresets.wse2.machine);

const rows = cases.map(([name, program]) => {
  const { median, least, most, result } = measure(3, () => runStepped(program, latencies));
  const peCycles = result.cycles * SIDE * SIDE;
  let moving = 0;
  for (let i = CAUSE.reduce; i < result.where.length; i += CAUSE_COUNT) moving += result.where[i];
  return [
    name,
    String(result.cycles),
    `${Math.round((100 * moving) / peCycles)} %`,
    millions(peCycles / median),
    `${millions(peCycles / most)} .. ${millions(peCycles / least)}`,
  ];
});

console.log(`Stepped engine, 64 x 64 PEs, one thread; ${host()}\n`);
console.log(
  table(['program', 'cycles', 'slots that move wavelets', 'million PE-cycles a second', 'worst .. best of 3'], rows),
);

/** Side of the mesh and output features, fewer on a large one. */
const meshes = [
  [8, 64],
  [16, 64],
  [24, 64],
  [32, 64],
  [64, 64],
  [128, 16],
  [256, 4],
] as const;

const pool = openBands(2);
const ratios: string[][] = [];
for (const [side, out] of meshes)
  for (const sparsity of [0.75, 0.99]) {
    const shape = { out, in: 32 * side, rows: side, cols: side, tokens: 64, accumulators: 2, sparsity };
    const program = timingOnly(spmmProgram(shapeOf(shape)));
    const [one, two] = await inTurn(3, [
      () => runStepped(program, latencies),
      () => pool.run(program, latencies, [0, side >> 1]),
    ]);
    ratios.push([
      `${side} x ${side}, ${100 * sparsity} % sparse`,
      String(one.result.cycles),
      milliseconds(one.wall),
      milliseconds(two.wall),
      (one.wall / two.wall).toFixed(2),
      milliseconds(one.cpu),
      milliseconds(two.cpu),
    ]);
  }
await pool.close();

console.log('\nOne thread and two bands on two workers, loading included; medians of 3 in turn\n');
console.log(
  table(['mesh', 'cycles', 'one, wall ms', 'two, wall ms', 'one / two', 'one, CPU ms', 'two, CPU ms'], ratios),
);
