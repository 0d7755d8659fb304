// `emulate baseline`: what a GPU would take for single kernels, one JSON line a case, in the order of the spec.

import { writeFileSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { evaluateCase, parseSpec } from '../../baselines/gpu/evaluate.ts';
import { readDocument } from '../../compiler/model/document.ts';
import { failureOf } from '../../compiler/model/located.ts';
import { inputError } from '../../emulator/errors.ts';

interface BaselineArguments {
  readonly spec: string;
  readonly json: string;
}

export const baseline: CommandModule<object, BaselineArguments> = {
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
  handler: ({ spec, json }) => {
    write(json, baselineLines(spec));
  },
};

/** `{"seconds":...}` and a newline for each case of a spec file. */
export function baselineLines(specFile: string): string {
  const document = readDocument(specFile);
  const parsed = parseSpec(document.value);
  if ('faults' in parsed) throw failureOf(document, parsed.faults);
  return parsed.cases.map((one) => `${JSON.stringify({ seconds: evaluateCase(one) })}\n`).join('');
}

function write(file: string, text: string): void {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`--json ${file}: cannot be written (${why}), allowed a file in a folder that exists, or -`);
  }
}
