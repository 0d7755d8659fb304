// `emulate baseline`: what a GPU would take for single kernels, one JSON line a case, in the order of the spec.

import type { CommandModule } from 'yargs';
import { evaluateCase, parseSpec } from '../../baselines/gpu/evaluate.ts';
import { readDocument } from '../../compiler/model/document.ts';
import { failureOf } from '../../compiler/model/located.ts';
import { checkDestination, writeTo } from '../destination.ts';
import type { Io } from '../io.ts';

interface BaselineArguments {
  readonly spec: string;
  readonly json: string;
}

export function baselineCommand(io: Io): CommandModule<object, BaselineArguments> {
  return {
    command: 'baseline',
    describe: 'Time single kernels on a GPU: matrix products, attention, elementwise operators',
    builder: (yargs) =>
      yargs
        .option('spec', {
          type: 'string',
          nargs: 1,
          demandOption: true,
          describe: 'JSON file: one case, a list, or {"cases": [...]}',
        })
        // Without nargs yargs takes the - of `--json -` for an argument of the command.
        .option('json', { type: 'string', nargs: 1, default: '-', describe: 'Where the lines go; - is stdout' })
        .example('$0 baseline --spec gemm.json', '{"op":"gemm","gpu":"a100-80gb","m":4096,"n":4096,"k":4096}'),
    handler: async ({ spec, json }) => {
      checkDestination('--json', json);
      await writeTo(io, '--json', json, baselineLines(spec));
    },
  };
}

/** `{"seconds":...}` and a newline for each case of a spec file. */
export function baselineLines(specFile: string): string {
  const document = readDocument(specFile);
  const parsed = parseSpec(document.value);
  if ('faults' in parsed) throw failureOf(document, parsed.faults);
  return parsed.cases.map((one) => `${JSON.stringify({ seconds: evaluateCase(one) })}\n`).join('');
}
