// `emulate map`: searches the mappings of a model, prints the best with what bounds each and what less SRAM would cost, and
// writes the best as a file to edit and give back with --mapping.

import type { CommandModule } from 'yargs';
import { buildGraph } from '../../compiler/graph/build.ts';
import { loadModel } from '../../compiler/model/load.ts';
import { withBankConflicts } from '../../emulator/machine/spec.ts';
import { coloursFor } from '../colours.ts';
import { checkDestination, STDOUT, writeTo } from '../destination.ts';
import { type ModelFlags, overridesOf, withModelFlags, workersOf } from '../flags.ts';
import type { Io } from '../io.ts';
import { withMisfitPlace } from '../misfit.ts';
import { startProgress } from '../progress.ts';

export interface MapArguments extends ModelFlags {
  readonly model: string;
  readonly out: string | undefined;
  readonly json: string | undefined;
  readonly color: boolean | undefined;
}

export function mapCommand(io: Io): CommandModule<object, MapArguments> {
  return {
    command: 'map <model>',
    describe: 'search the mappings of a model; print the best, write one to edit',
    builder: (yargs) =>
      withModelFlags(yargs)
        .positional('model', { type: 'string', demandOption: true, describe: 'a model file, or a preset' })
        .option('out', { type: 'string', nargs: 1, describe: 'the best mapping to a file, for --mapping' })
        .option('json', { type: 'string', nargs: 1, describe: 'what was found as JSON to a file; - is stdout, alone' })
        .option('color', { type: 'boolean' })
        .example('$0 map examples/gpt3-xl.json --out mapping.json', 'a mapping to edit')
        .example('$0 examples/gpt3-xl.json --mapping mapping.json', 'the model in it')
        .example('$0 map gpt2-small --set mapping.tokensPerPe=64', 'the best with 64 tokens a PE'),
    handler: (given) => map(given, io),
  };
}

async function map(given: MapArguments, io: Io): Promise<void> {
  const { model, out, json, color } = given;
  const workers = workersOf(given.workers);
  checkDestination('--out', out);
  checkDestination('--json', json);
  const spec = loadModel(model, overridesOf(given));
  const graph = buildGraph(spec);
  const machine = withBankConflicts(spec.machine.machine);
  const { surveyMappings } = await import('../../run/mapper/survey.ts');
  const { mappingFile, mappingReport, mappingText } = await import('../../report/mappingTable.ts');
  const { pooledTimer } = await import('../../run/timer.ts');
  const timer = pooledTimer(workers, io.signal);
  const progress = await startProgress(io);
  try {
    const options = { timer, onProgress: progress.update };
    const survey = await withMisfitPlace(model, given, () => surveyMappings(graph, machine, spec.mapping, options));
    progress.stop();
    const report = mappingReport(spec, survey);
    if (out !== undefined) await writeTo(io, '--out', out, mappingFile(report, graph));
    if (json !== undefined) await writeTo(io, '--json', json, `${JSON.stringify(report, null, 2)}\n`);
    if (json !== STDOUT && out !== STDOUT)
      await io.stdout.write(mappingText(report, coloursFor(io.stdout, io.env, color)));
  } finally {
    progress.stop();
    await timer.close();
  }
}
