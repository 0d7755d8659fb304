// `emulate list machines|gpus|models|kernels`: the presets, and the kernels. For a machine every constant, its unit and where
// it comes from.

import type { CommandModule } from 'yargs';
import type { Io } from '../io.ts';
import { inputError } from '../../emulator/errors.ts';

interface Arguments {
  what: string;
  json: boolean;
}

export function listCommand(io: Io): CommandModule<object, Arguments> {
  return {
    command: 'list <what>',
    describe: 'list the presets (machines, gpus or models) or the kernels',
    builder: (yargs) =>
      yargs
        .positional('what', { type: 'string', demandOption: true, describe: 'machines, gpus, models, kernels' })
        .option('json', { type: 'boolean', default: false, describe: 'as JSON' }),
    handler: async ({ what, json }) => {
      await io.stdout.write(`${await listText(what, json)}\n`);
    },
  };
}

interface Listing {
  readonly json: unknown;
  readonly text: string;
}

const listings: ReadonlyMap<string, () => Promise<Listing>> = new Map([
  ['machines', machines],
  ['gpus', gpus],
  ['models', models],
  ['kernels', kernels],
]);

export async function listText(what: string, asJson: boolean): Promise<string> {
  const listing = listings.get(what);
  if (listing === undefined) {
    const { unknownValue } = await import('../../compiler/model/validate.ts');
    throw inputError(`list: ${unknownValue(what, [...listings.keys()])}`);
  }
  const { json, text } = await listing();
  return asJson ? JSON.stringify(json, null, 2) : text;
}

async function machines(): Promise<Listing> {
  const { machinePresets } = await import('../../emulator/machine/presets/index.ts');
  const { machineFields } = await import('../../compiler/model/machineSchema.ts');
  const { valueAt } = await import('../../compiler/model/paths.ts');
  const listed = Object.entries(machinePresets).map(([name, { machine, sources }]) => ({
    name,
    constants: machineFields.map(({ path, keys, unit }) => {
      return { path, value: valueAt(machine, keys), unit, source: sources[path] ?? '' };
    }),
  }));
  const blocks = listed.map(({ name, constants }) => {
    const rows = constants.map(({ path, value, unit, source }) => [`  ${path}`, String(value), unit, source]);
    return `${name}\n${aligned(rows, [1])}`;
  });
  return { json: listed, text: blocks.join('\n\n') };
}

async function gpus(): Promise<Listing> {
  const { gpuNames } = await import('../../compiler/model/spec.ts');
  return { json: gpuNames, text: gpuNames.join('\n') };
}

async function models(): Promise<Listing> {
  const { gptPresets } = await import('../../compiler/model/presets.ts');
  const listed = Object.entries(gptPresets).map(([name, preset]) => ({ name, ...preset }));
  const heading = ['name', 'parameters', 'layers', 'width', 'heads', 'ff', 'vocabulary', 'context', 'source'];
  const rows = listed.map(({ name, parameters, shape, source }) => {
    const { layers, width, heads, ff, vocabulary, context } = shape;
    return [name, inMillions(parameters), ...[layers, width, heads, ff, vocabulary, context].map(String), source];
  });
  return { json: listed, text: aligned([heading, ...rows], [1, 2, 3, 4, 5, 6, 7]) };
}

async function kernels(): Promise<Listing> {
  const { KERNELS_DESCRIBED } = await import('../kernel/described.ts');
  const { KERNEL_NAMES } = await import('../kernel/spec.ts');
  const listed = Object.entries(KERNELS_DESCRIBED).map(([name, what]) => {
    return { name, what, command: KERNEL_NAMES.some((each) => each === name) };
  });
  const rows = listed.map(({ name, what, command }) => [name, command ? `${what} (emulate kernel ${name})` : what]);
  return { json: listed, text: aligned(rows, []) };
}

function inMillions(parameters: number): string {
  return `${Math.round(parameters / 1e6)} M`;
}

/** Columns as wide as their widest cell, two blanks between; those in `right` end at the same place. */
function aligned(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
