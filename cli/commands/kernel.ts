// `emulate kernel`: the cycles of one kernel, from a file of cases or from flags, and what every PE did in each of them.

import { closeSync, openSync, writeSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { readDocument, readText } from '../../compiler/model/document.ts';
import { resolveMachine } from '../../compiler/model/machine.ts';
import { isMachineName } from '../../compiler/model/machineSchema.ts';
import { unknownValue } from '../../compiler/model/validate.ts';
import { streamGap } from '../../compiler/mapping/gaps.ts';
import { EmulateError, EXIT, inputError } from '../../emulator/errors.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { type Latencies, latenciesOf, type Machine, withBankConflicts } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, CAUSES, type Where, whereAt } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { runDataflow } from '../../emulator/streamed/dataflow.ts';
import { foldedTotals } from '../../emulator/streamed/fold.ts';
import { timingProgram } from '../../kernels/index.ts';
import { type Engine, spmmWhere, timeSpmm } from '../../kernels/spmm/time.ts';
import { matmulShape } from '../../run/step.ts';
import type { Io } from '../io.ts';
import {
  KERNEL_NAMES,
  type KernelCase,
  kernelCases,
  LINE_KERNELS,
  type LineCase,
  MOST,
  MOST_WAVELETS,
} from './kernelSpec.ts';

const FLAGS = {
  rows: 'rows of PEs',
  cols: 'columns of PEs, the positions of the ring',
  in: 'input features',
  out: 'output features',
  sparsity: 'part of the weights that is zero',
  tokens: 'tokens a PE',
  accumulators: 'accumulators a PE',
  seed: 'seed of the mask',
  width: 'PEs of a chain or a broadcast',
  wavelets: 'wavelets of a chain or a broadcast',
} as const;

type Flag = keyof typeof FLAGS;

type Given = { readonly [Name in Flag]?: string | undefined };

export interface KernelArguments extends Given {
  readonly name: string | undefined;
  readonly spec: string | undefined;
  readonly machine: string;
  readonly accumulate: string;
  readonly engine: string;
  readonly json: string | undefined;
}

type EngineChoice = Engine | 'auto';

/** Mask cells that memory surely holds. */
const MOST_CELLS = 2 ** 28;

export function kernelCommand(io: Io): CommandModule<object, KernelArguments> {
  return {
    command: 'kernel [name]',
    describe: 'time one kernel: cycles, and where those of every PE go',
    builder: (yargs) => {
      const text = { type: 'string', nargs: 1 } as const;
      return (
        yargs
          .positional('name', { type: 'string', describe: KERNEL_NAMES.join(', ') })
          .option('spec', { ...text, describe: 'file of cases: one, or {"cases": [...]}' })
          .option('rows', { ...text, describe: FLAGS.rows })
          .option('cols', { ...text, describe: FLAGS.cols })
          .option('in', { ...text, describe: FLAGS.in })
          .option('out', { ...text, describe: FLAGS.out })
          .option('sparsity', { ...text, describe: FLAGS.sparsity })
          .option('tokens', { ...text, describe: FLAGS.tokens })
          .option('accumulators', { ...text, describe: FLAGS.accumulators })
          .option('seed', { ...text, describe: FLAGS.seed })
          .option('width', { ...text, describe: FLAGS.width })
          .option('wavelets', { ...text, describe: FLAGS.wavelets })
          .option('machine', { ...text, default: 'wse2', describe: 'preset or machine file' })
          .option('accumulate', { ...text, default: 'fp16', describe: 'fp16 or fp32' })
          .option('engine', { ...text, default: 'auto', describe: 'stepped, streamed or auto' })
          // Without nargs yargs takes the - of `--json -` for an argument of the command.
          .option('json', { ...text, describe: 'a JSON line a case; - is stdout' })
      );
    },
    handler: (given) => runKernel(given, io),
  };
}

export async function runKernel(given: KernelArguments, io: Io): Promise<void> {
  const engine = choice('--engine', given.engine, ['auto', 'stepped', 'streamed']);
  const { name: kernel, spec, json } = given;
  if (spec !== undefined) {
    if (kernel !== undefined) throw inputError(`kernel: got both ${kernel} and --spec, allowed one of them`);
    await writePieces(json ?? '-', linesOf(kernelCases(readDocument(spec)), engine), io);
    return;
  }
  if (kernel === undefined)
    throw inputError(`kernel: no kernel, got nothing, allowed ${KERNEL_NAMES.join(', ')}, or --spec FILE`);
  const name = choice('kernel', kernel, KERNEL_NAMES);
  const machine = machineOf(given.machine);
  const one = name === 'spmm' ? spmmOf(given, machine) : lineOf(name, given, machine);
  if (json === undefined) await io.stdout.write(summary(one, timed(one, engine), machine));
  else await writePieces(json, linesOf([one], engine), io);
}

function choice<const Name extends string>(what: string, got: string, allowed: readonly Name[]): Name {
  const name = allowed.find((one) => one === got);
  if (name === undefined) throw inputError(`${what}: ${unknownValue(got, allowed)}`);
  return name;
}

function machineOf(name: string): Machine {
  if (!isMachineName(name)) {
    const reading = readText(name);
    const presets = Object.keys(machinePresets);
    if ('problem' in reading && reading.isAbsent)
      throw inputError(`--machine ${name}: ${reading.problem}; ${unknownValue(name, presets, ', or a machine file')}`);
  }
  const flags = [{ path: ['machine'], text: `--machine ${name}` }];
  const document = { name: '--machine', text: null, value: { machine: name }, flags };
  return withBankConflicts(resolveMachine(document, ['machine'], name).machine);
}

/** A whole number of a flag. */
function whole(given: Given, flag: Flag, least: number, most: number): number {
  return numberOf(
    given,
    flag,
    `a whole number ${least} to ${most}`,
    (x) => Number.isInteger(x) && x >= least && x <= most,
  );
}

function numberOf(given: Given, flag: Flag, allowed: string, isAllowed: (value: number) => boolean): number {
  const text = given[flag];
  if (text === undefined) throw inputError(`--${flag}: missing, got nothing, allowed ${allowed} (${FLAGS[flag]})`);
  // Number('') is 0; a flag given twice comes as a list, which is no number.
  const value = /\S/.test(text) ? Number(text) : NaN;
  if (!isAllowed(value))
    throw inputError(`--${flag}: got ${JSON.stringify(text)}, allowed ${allowed} (${FLAGS[flag]})`);
  return value;
}

function spmmOf(given: KernelArguments, machine: Machine): KernelCase {
  const { width, height } = machine.fabric;
  const accumulate = choice('--accumulate', given.accumulate, ['fp16', 'fp32']);
  const rows = whole(given, 'rows', 1, Math.min(MOST, height));
  const cols = whole(given, 'cols', 1, Math.min(MOST, width));
  const inputs = whole(given, 'in', 1, MOST * cols);
  const outputs = whole(given, 'out', 1, Math.floor(MOST_CELLS / cols));
  const sparsity = numberOf(given, 'sparsity', 'a number 0 to 1', (x) => x >= 0 && x <= 1);
  const tokens = whole(given, 'tokens', 1, MOST);
  const accumulators = whole(given, 'accumulators', 1, MOST);
  const seed = whole(given, 'seed', 0, 2 ** 32 - 1);
  const step = {
    kernel: 'spmm',
    weights: {
      mask: { name: 'spmm', seed, sparsity, rows: outputs, width: inputs },
      input: { kind: 'strided', features: inputs },
      output: { kind: 'strided', features: outputs },
    },
    cols,
    tokens,
    accumulators,
    gap: streamGap(machine, cols, sparsity === 0 ? 2 : 1),
    accumulate,
  } as const;
  return { kernel: 'spmm', ...matmulShape(step, machine), rows };
}

function lineOf(kernel: (typeof LINE_KERNELS)[number], given: Given, machine: Machine): LineCase {
  const width = whole(given, 'width', 1, Math.min(MOST, machine.fabric.width));
  const wavelets = whole(given, 'wavelets', 1, MOST_WAVELETS);
  return { kernel, width, wavelets, latencies: latenciesOf(machine) };
}

interface Timed {
  readonly engine: Engine;
  readonly path: string;
  readonly why: string;
  readonly cycles: number;
  /** PEs are `outer` times `inner`: ring positions and rows, or columns and one row. */
  readonly outer: number;
  readonly inner: number;
  readonly where: (outer: number, inner: number) => Where;
  /** Over all PEs, in the order of CAUSES. */
  readonly totals: () => Float64Array;
}

function timed(one: KernelCase, engine: EngineChoice): Timed {
  if (one.kernel !== 'spmm') return timedLine(one, engine);
  const timing = timeSpmm(one, engine);
  const { path, why, cycles, rows, where } = timing;
  return {
    engine: timing.engine,
    path,
    why,
    cycles,
    outer: one.cols,
    inner: rows,
    where: (p, y) => spmmWhere(timing, p, y),
    totals: () => foldedTotals(where, path === 'stepped mesh' ? 1 : rows),
  };
}

function timedLine(one: LineCase, engine: EngineChoice): Timed {
  const { kernel, width, wavelets, latencies } = one;
  const program = timingProgram({ kernel, width, wavelets }, machineWith(latencies));
  const streamed = engine === 'stepped' ? undefined : runDataflow(program, latencies);
  const { cycles, where } = streamed ?? runStepped(program, latencies);
  const why = engine === 'stepped' ? 'asked for' : 'two colors met at a port, or the run does not end';
  return {
    ...(streamed === undefined
      ? { engine: 'stepped', path: 'stepped mesh', why }
      : { engine: 'streamed', path: 'time stamps', why: '' }),
    cycles,
    outer: width,
    inner: 1,
    where: (x) => whereAt(where, x * CAUSE_COUNT),
    totals: () => foldedTotals(where, 1),
  };
}

function machineWith(latencies: Latencies): Machine {
  const { rampLatency, routerBuffer, creditLatency, inputQueue, outputQueue, resultLatency } = latencies;
  const { machine } = machinePresets.wse2;
  return {
    ...machine,
    fabric: { ...machine.fabric, rampLatency, routerBuffer, creditLatency },
    core: { ...machine.core, inputQueue, outputQueue, resultLatency },
  };
}

/** To stdout or to a file, piece by piece. */
async function writePieces(file: string, pieces: Iterable<string>, { stdout }: Io): Promise<void> {
  if (file === '-') {
    for (const piece of pieces) await stdout.write(piece);
    return;
  }
  const opened = open(file);
  try {
    for (const piece of pieces) writeSync(opened, piece);
  } finally {
    closeSync(opened);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`--json ${file}: cannot be written (${why}), allowed a file in a folder that exists, or -`);
  }
}

/** A line a case, in pieces: that of a large mesh is tens of megabytes. */
function* linesOf(cases: readonly KernelCase[], engine: EngineChoice): Generator<string> {
  for (const one of cases) {
    const run = unlessDeadlock(() => timed(one, engine));
    if (run === undefined) {
      const tried = engine === 'auto' ? 'streamed' : engine;
      yield `${JSON.stringify({ engine: tried, cycles: 'deadlock' })}\n`;
    } else yield* lineOfRun(run);
  }
}

function* lineOfRun({ engine, cycles, outer, inner, where, path, why }: Timed): Generator<string> {
  yield `{"engine":${JSON.stringify(engine)},"cycles":${cycles},"where":[`;
  for (let p = 0; p < outer; p++) {
    let piece = '';
    for (let y = 0; y < inner; y++) piece += `${p + y > 0 ? ',' : ''}${JSON.stringify(where(p, y))}`;
    yield piece;
  }
  yield `],"path":${JSON.stringify(path)},"why":${JSON.stringify(why)}}\n`;
}

function unlessDeadlock(run: () => Timed): Timed | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof EmulateError && error.code === EXIT.deadlock) return undefined;
    throw error;
  }
}

function summary({ kernel }: KernelCase, run: Timed, { name, clockHz }: Machine): string {
  const { cycles, outer, inner, engine, path, why } = run;
  const totals = run.totals();
  const percent = (cause: number): string => `${((100 * totals[cause]) / (cycles * outer * inner)).toFixed(2)} %`;
  const width = Math.max(...CAUSES.map((cause) => cause.length));
  const lines = [
    `${kernel} on ${name}: ${outer} x ${inner} PEs`,
    `  cycles       ${cycles.toLocaleString('en-US')} (${((1000 * cycles) / clockHz).toPrecision(6)} ms at ${clockHz / 1e6} MHz)`,
    `  engine       ${engine}, ${path}${why === '' ? '' : ` (${why})`}`,
    ...(kernel === 'spmm' ? [`  utilisation  ${percent(CAUSE.compute)} of the multiply-add slots of these PEs`] : []),
    '  cycles of all PEs',
    ...CAUSES.map((cause, i) => `    ${cause.padEnd(width)}  ${percent(i).padStart(8)}`),
  ];
  return `${lines.join('\n')}\n`;
}
