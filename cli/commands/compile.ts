// `emulate compile`: a model as a graph, as a placement on the wafer, or as a program to run.

import type { CommandModule } from 'yargs';
import { buildGraph } from '../../compiler/graph/build.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { encodeProgram } from '../../compiler/lower/codec.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { type Placement, placeGraph, printPlacement } from '../../compiler/lower/placement.ts';
import { printProgram } from '../../compiler/lower/program.ts';
import { loadModel } from '../../compiler/model/load.ts';
import type { ModelSpec } from '../../compiler/model/spec.ts';
import { unknownValue } from '../../compiler/model/validate.ts';
import { inputError } from '../../emulator/errors.ts';
import { withBankConflicts } from '../../emulator/machine/spec.ts';
import { chooseMapping } from '../../run/mapper.ts';
import { pooledTimer } from '../../run/timer.ts';
import { cacheFor } from '../cache.ts';
import { checkDestination, STDOUT, writeTo } from '../destination.ts';
import { type ModelFlags, overridesOf, withModelFlags, workersOf } from '../flags.ts';
import type { Io } from '../io.ts';
import { withMisfitPlace } from '../misfit.ts';
import { startProgress } from '../progress.ts';

export interface CompileArguments extends ModelFlags {
  readonly model: string;
  readonly emit: string;
  readonly out: string;
}

const FORMS = ['graph', 'placement', 'program'];

export function compileCommand(io: Io): CommandModule<object, CompileArguments> {
  return {
    command: 'compile <model>',
    describe: 'compile a model: its graph, its placement on the wafer, its program',
    builder: (yargs) =>
      withModelFlags(yargs)
        .positional('model', { type: 'string', demandOption: true, describe: 'a model file, or a preset' })
        .option('emit', { type: 'string', nargs: 1, default: 'program', describe: FORMS.join(', ') })
        .option('out', {
          type: 'string',
          nargs: 1,
          default: STDOUT,
          describe: 'a file; a program becomes one for emulate run',
        })
        .example('$0 compile gpt2-small --emit graph', 'one line an operator')
        .example('$0 compile gpt2-small --out gpt2.program', 'a program file'),
    handler: (given) => compile(given, io),
  };
}

async function compile(given: CompileArguments, io: Io): Promise<void> {
  const { model, emit, out } = given;
  if (!FORMS.includes(emit)) throw inputError(`--emit: ${unknownValue(emit, FORMS)}`);
  const workers = workersOf(given.workers);
  checkDestination('--out', out);
  const spec = loadModel(model, overridesOf(given));
  const content = await withMisfitPlace(model, given, () => formOf(spec, emit, out !== STDOUT, workers, io));
  await writeTo(io, '--out', out, content);
}

async function formOf(
  spec: ModelSpec,
  emit: string,
  isFile: boolean,
  workers: number,
  io: Io,
): Promise<string | Uint8Array> {
  if (emit === 'graph') return printGraph(buildGraph(spec));
  const placement = await place(spec, workers, io);
  if (emit === 'placement') return printPlacement(placement);
  const program = lower(placement);
  return isFile ? encodeProgram(program) : printProgram(program);
}

async function place(spec: ModelSpec, workers: number, io: Io): Promise<Placement> {
  const graph = buildGraph(spec);
  const machine = withBankConflicts(spec.machine.machine);
  const timer = pooledTimer(workers, io.signal);
  const progress = await startProgress(io);
  try {
    const onTry = (tried: number, of: number): void => progress.update(tried, of, 'mapping');
    return placeGraph(graph, machine, await chooseMapping(graph, machine, spec.mapping, timer, onTry, cacheFor(io)));
  } finally {
    progress.stop();
    await timer.close();
  }
}
