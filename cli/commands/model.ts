// `emulate <model>`: the main job. Compiles a model, runs it on the wafer, compares it with a GPU, prints the report.

import type { CommandModule } from 'yargs';
import { loadModel } from '../../compiler/model/load.ts';
import type { ModelSpec } from '../../compiler/model/spec.ts';
import { EmulateError, inputError } from '../../emulator/errors.ts';
import type { Report } from '../../report/report.ts';
import type { MainResult } from '../../run/main.ts';
import { cacheFor } from '../cache.ts';
import { coloursFor } from '../colours.ts';
import { checkDestinations, STDOUT, writeTo } from '../destination.ts';
import { htmlOption, type ModelFlags, overridesOf, twinsOption, withModelFlags, workersOf } from '../flags.ts';
import type { Io } from '../io.ts';
import { withMisfitPlace } from '../misfit.ts';
import { startProgress } from '../progress.ts';
import { checkWindow, traceAsked, type TraceFlags, withTraceFlags } from '../trace.ts';
import { nearCommand } from '../usage.ts';

export interface ModelArguments extends ModelFlags, TraceFlags {
  readonly model: string | undefined;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly twins: boolean;
  readonly color: boolean | undefined;
}

export function modelCommand(io: Io): CommandModule<object, ModelArguments> {
  return {
    command: '$0 [model]',
    describe: 'compile a model, run it on the wafer, compare it with a GPU',
    builder: (yargs) =>
      withTraceFlags(withModelFlags(yargs))
        .positional('model', { type: 'string', describe: 'a model file, or a preset (emulate list models)' })
        .option('json', { type: 'string', nargs: 1, describe: 'the report as JSON to a file; - is stdout, alone' })
        .option('html', htmlOption)
        .option('twins', twinsOption)
        .option('color', { type: 'boolean' })
        .example('$0 examples/gpt3-xl.json', 'GPT-3 XL with 75 % zeros on a whole CS-2')
        .example('$0 gpt2-small --sparsity 0.9 --machine wse3', 'a preset, other zeros, another machine')
        .example('$0 gpt2-small --trace run.pftrace', 'its operators over time, for ui.perfetto.dev')
        .example('$0 gpt2-small --set machine.core.simdFp16=8 --json -', 'what if, for a program to read'),
    handler: (given) => emulateModel(given, io),
  };
}

async function emulateModel(given: ModelArguments, io: Io): Promise<void> {
  const { model, json, html, color, twins } = given;
  const workers = workersOf(given.workers);
  checkDestinations({ json, html });
  const trace = traceAsked(given);
  if (trace !== undefined) checkWindow(trace);
  const spec = load(model, given);
  // Loaded late: what is wrong with the input is said at once.
  const { runModel } = await import('../../run/main.ts');
  const { buildReport } = await import('../../report/report.ts');
  const { terminalReport } = await import('../../report/terminal.ts');
  const colours = coloursFor(io.stdout, io.env, color);
  const isPictured = colours.level > 0 && json !== STDOUT && html !== STDOUT;
  const progress = await startProgress(io);
  try {
    const options = {
      workers,
      twins,
      onProgress: progress.update,
      signal: io.signal,
      cache: cacheFor(io),
      detail: html !== undefined,
      map: html !== undefined || isPictured,
    };
    const result = await withMisfitPlace(model ?? '', given, () => runModel(spec, options));
    progress.stop();
    const report = buildReport(result);
    if (json !== undefined) await writeTo(io, '--json', json, `${JSON.stringify(report, null, 2)}\n`);
    if (html !== undefined) await writeTo(io, '--html', html, await pageOf(report, result));
    if (json !== STDOUT && html !== STDOUT) await io.stdout.write(terminalReport(report, colours, result.map));
    if (trace !== undefined) await (await import('../traceRun.ts')).traceModel(io, trace, result);
  } finally {
    progress.stop();
  }
}

async function pageOf(report: Report, result: MainResult): Promise<string> {
  const { page } = await import('../../report/html/page.ts');
  const { contentOfModel } = await import('../../report/html/content.ts');
  return page(contentOfModel(report, result));
}

function load(model: string | undefined, given: ModelArguments): ModelSpec {
  if (model === undefined)
    throw inputError(
      'a model is missing, allowed a model file or a preset, e.g. emulate gpt2-small; see emulate --help',
    );
  try {
    return loadModel(model, overridesOf(given));
  } catch (error) {
    const isNoModel = error instanceof EmulateError && error.message.includes('no such preset');
    if (!isNoModel || error.message.includes('did you mean')) throw error;
    throw inputError(`${error.message}${nearCommand(model)}`);
  }
}
