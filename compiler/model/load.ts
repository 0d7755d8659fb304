// The model of a run, from what the user named on the command line: a file, or a preset where there is no such file.

import { inputError } from '../../emulator/errors.ts';
import { parseDocument, readText, type Document } from './document.ts';
import { nearName } from './nearName.ts';
import { applyOverrides, type Overrides } from './overrides.ts';
import { gptPresets, isGptPreset } from './presets.ts';
import { resolveModel } from './resolve.ts';
import type { ModelSpec } from './spec.ts';
import { didYouMean } from './validate.ts';

/** Throws an EmulateError (exit 2) that says where the file or the flags are wrong. */
export function loadModel(model: string, overrides: Overrides = {}): ModelSpec {
  return resolveModel(applyOverrides(documentOf(model), overrides));
}

/** The file or preset as it is, before flags and checks. */
export function documentOf(model: string): Document {
  const reading = readText(model);
  if ('text' in reading) return parseDocument(model, reading.text);
  if (!reading.isAbsent) throw inputError(`${model}: ${reading.problem}`);
  if (isGptPreset(model)) return { name: model, text: null, value: { preset: model }, flags: [] };
  const names = Object.keys(gptPresets);
  const allowed = `allowed a JSON file, or ${names.join(', ')}`;
  throw inputError(`${model}: ${reading.problem}, and no such preset, ${allowed}${didYouMean(nearName(model, names))}`);
}
