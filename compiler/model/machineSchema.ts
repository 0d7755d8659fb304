// The machine of a document: the machine file (emulator/machine/spec.ts) with every field optional, because it may start
// from a preset, and with every number either plain or as {value, unit, source}. The fields, their units and their ranges
// are those of the machine file itself; this file only loosens its form, and bounds what the emulator can count.

import { z } from 'zod';
import { machinePresets, type MachineName } from '../../emulator/machine/presets/index.ts';
import { machineSchema } from '../../emulator/machine/spec.ts';
import { editorSchema, label } from './label.ts';
import { unknownValue } from './validate.ts';

/** Latencies, queues and slots: far beyond any machine, and far from what 32-bit cycle counts hold. */
const LARGEST_COUNT = 65_535;
const LARGEST_BYTES = 2 ** 31 - 1;
const LARGEST_NUMBER = 1e18;
/** Rows or columns of PEs; coordinates are kept in 16 bits. */
const LARGEST_SIDE = 65_535;
const sides: readonly string[] = ['fabric.width', 'fabric.height'];

export const machineNames: readonly string[] = Object.keys(machinePresets);

export function isMachineName(name: string): name is MachineName {
  return Object.hasOwn(machinePresets, name);
}

export interface MachineField {
  readonly path: string;
  readonly keys: readonly string[];
  /** What the number counts, e.g. "cycles a second". */
  readonly unit: string;
}

/** Every constant of a machine, in the order of the machine file; its name is not one. */
export const machineFields: readonly MachineField[] = fieldsOf(machineSchema, []).filter(({ path }) => path !== 'name');

function fieldsOf(schema: z.ZodObject, base: readonly string[]): MachineField[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const keys = [...base, key];
    if (field instanceof z.ZodObject) return fieldsOf(field, keys);
    return [{ path: keys.join('.'), keys, unit: z.globalRegistry.get(field)?.description ?? '' }];
  });
}

/** Every field optional, every number plain or annotated. */
function loosened(schema: z.ZodObject, base: readonly string[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([key, field]) => {
      const keys = [...base, key];
      if (field instanceof z.ZodObject) return [key, z.strictObject(loosened(field, keys)).optional()];
      if (field instanceof z.ZodNumber) return [key, annotated(bounded(field, keys.join('.')))];
      return [key, label('what reports call it')];
    }),
  );
}

function bounded(field: z.ZodNumber, path: string): z.ZodNumber {
  if (!field.isInt) return field.max(LARGEST_NUMBER);
  if (sides.includes(path)) return field.max(LARGEST_SIDE);
  return field.max(path.endsWith('Bytes') ? LARGEST_BYTES : LARGEST_COUNT);
}

function annotated(field: z.ZodNumber): z.ZodType {
  const withSource = z.strictObject({
    value: field,
    unit: z.string().optional().describe('checked: nothing is converted'),
    source: z.string().optional().describe('where the number comes from'),
  });
  return z
    .union([field, withSource])
    .optional()
    .describe(field.description ?? '');
}

const name = z.enum(machineNames);
const fileOr = (others: string) => {
  const error = ({ input }: { input?: unknown }): string =>
    unknownValue(input, machineNames, `, or a path that ends in .json${others}`);
  return { file: z.string().regex(/\.json$/, { error }), error };
};
const presetOrFile = fileOr('');
const reference = fileOr(', or an object');

const startFrom = z
  .union([name, presetOrFile.file], { error: presetOrFile.error })
  .optional()
  .describe('what to start from, a preset or the path of a machine file; without it every constant is needed');

/** A machine file, and the object form of `machine` in a model file. */
export const machineDocument = z
  .strictObject({
    $schema: editorSchema,
    preset: startFrom,
    ...loosened(machineSchema, []),
  })
  .describe('a machine: a preset and what differs from it, or every constant');

/** `machine` in a model file. */
export const machineReference = z
  .union([name, reference.file, machineDocument], { error: reference.error })
  .describe('a preset, the path of a machine file (from the folder of the model file), or an object');
