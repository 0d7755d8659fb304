// `emulate compile`: a model as a graph, as a placement on the wafer, or as a program to run.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { CommandModule } from 'yargs';
import { buildGraph } from '../../compiler/graph/build.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { encodeProgram } from '../../compiler/lower/codec.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { type Placement, placeGraph, printPlacement } from '../../compiler/lower/placement.ts';
import { printProgram } from '../../compiler/lower/program.ts';
import { loadModel } from '../../compiler/model/load.ts';
import type { Overrides } from '../../compiler/model/overrides.ts';
import type { ModelSpec } from '../../compiler/model/spec.ts';
import { unknownValue } from '../../compiler/model/validate.ts';
import { inputError } from '../../emulator/errors.ts';
import { withBankConflicts } from '../../emulator/machine/spec.ts';
import { chooseMapping } from '../../run/mapper.ts';
import { inProcessTimer, pooledTimer } from '../../run/timer.ts';
import type { Io } from '../io.ts';

export interface CompileArguments extends Overrides {
  readonly model: string;
  readonly emit: string;
  readonly out: string | undefined;
}

const FORMS = ['graph', 'placement', 'program'];

export function compileCommand(io: Io): CommandModule<object, CompileArguments> {
  return {
    command: 'compile <model>',
    describe: 'compile a model: its graph, its placement on the wafer, its program',
    builder: (yargs) =>
      yargs
        .positional('model', { type: 'string', demandOption: true, describe: 'model file or preset' })
        .option('emit', { type: 'string', nargs: 1, demandOption: true, describe: FORMS.join(', ') })
        .option('out', { type: 'string', nargs: 1, describe: 'file to write; a program becomes one that runs' })
        .option('sparsity', { type: 'string', nargs: 1, describe: 'part of the weights that is zero' })
        .option('machine', { type: 'string', nargs: 1, describe: 'preset or machine file' })
        .option('gpu', { type: 'string', nargs: 1, describe: 'GPU of the baseline' })
        .option('mapping', { type: 'string', nargs: 1, describe: 'mapping file' })
        .option('set', { type: 'string', array: true, nargs: 1, describe: 'any value by its path: path=value' }),
    handler: (given) => compile(given, io),
  };
}

export async function compile({ model, emit, out, ...overrides }: CompileArguments, io: Io): Promise<void> {
  if (!FORMS.includes(emit)) throw inputError(`--emit: ${unknownValue(emit, FORMS)}`);
  const { sparsity, machine, gpu, mapping, set } = overrides;
  const spec = loadModel(model, { sparsity, machine, gpu, mapping, set });
  const form = await formOf(spec, emit, out !== undefined, io);
  if (out !== undefined) writeOutput('--out', out, form);
  else await io.stdout.write(form.toString());
}

async function formOf(spec: ModelSpec, emit: string, isFile: boolean, io: Io): Promise<string | Uint8Array> {
  if (emit === 'graph') return printGraph(buildGraph(spec));
  const placement = await place(spec, io);
  if (emit === 'placement') return printPlacement(placement);
  const program = lower(placement);
  return isFile ? encodeProgram(program) : printProgram(program);
}

async function place(spec: ModelSpec, { signal }: Io): Promise<Placement> {
  const graph = buildGraph(spec);
  const machine = withBankConflicts(spec.machine.machine);
  // A matmul is one kernel, which workers could not share.
  const timer = spec.kind === 'gpt' ? pooledTimer(availableParallelism(), signal) : inProcessTimer();
  try {
    return placeGraph(graph, machine, await chooseMapping(graph, machine, spec.mapping, timer));
  } finally {
    await timer.close();
  }
}

/** Writes what a flag asked for to the file it gave. */
export function writeOutput(flag: string, file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${flag} ${file}: cannot be written (${why}), allowed a file in a folder that exists`);
  }
}
