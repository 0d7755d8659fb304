// What a new golden says is run, from a model and the flags it was loaded with. Files are named from the folder of the
// golden, so that the two can move together.

import { dirname, relative, resolve, sep } from 'node:path';
import type { ModelSpec } from '../../compiler/model/spec.ts';
import { isMachineName } from '../../compiler/model/machineSchema.ts';
import { inputError, internalError } from '../../emulator/errors.ts';
import type { Head } from './text.ts';

export function headOf(spec: ModelSpec, golden: string): Head {
  const { file, flags } = spec.origin;
  return { model: file === null ? presetOf(spec) : pathFrom(golden, file), set: flags.flatMap(settingOf) };
}

export function pathFrom(golden: string, file: string): string {
  return relative(dirname(resolve(golden)), resolve(file))
    .split(sep)
    .join('/');
}

function presetOf(spec: ModelSpec): string {
  if (spec.kind === 'gpt' && spec.preset !== null) return spec.preset;
  throw internalError('a model of neither a file nor a preset');
}

/** A flag as path=value; none for the GPU, on which no cycle of the wafer depends. */
function settingOf(flag: string): string[] {
  const [, name, value] = /^--(\w+) (.*)$/s.exec(flag) ?? [];
  if (name === 'set') return [value];
  if (name === 'sparsity') return [`sparsity.value=${value}`];
  if (name === 'gpu') return [];
  if (name === 'machine' && isMachineName(value)) return [`machine=${value}`];
  throw inputError(`${flag}: a golden cannot name this file; put it into the model file, or its values into --set`);
}
