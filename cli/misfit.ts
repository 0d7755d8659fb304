// A mapping that was asked for and does not fit, said where it was asked for: the mapping file, else the model file.

import { type Document, readDocument } from '../compiler/model/document.ts';
import { documentOf } from '../compiler/model/load.ts';
import { failureOf } from '../compiler/model/located.ts';
import { type Path, valueAt } from '../compiler/model/paths.ts';
import { EmulateError, EXIT } from '../emulator/errors.ts';
import type { ModelFlags } from './flags.ts';

/** Does what may find that the mapping of `model` does not fit. */
export async function withMisfitPlace<Result>(
  model: string,
  { mapping }: Pick<ModelFlags, 'mapping'>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EmulateError) || error.code !== EXIT.doesNotFit || error.field === undefined) throw error;
    const [document, base] = mapping === undefined ? [documentOf(model), ['mapping']] : [readDocument(mapping), []];
    throw placed(error, error.field, document, base);
  }
}

/** At the field itself, or at the mapping that it is left out of; as it is if no file asks for anything. */
function placed(error: EmulateError, field: string, document: Document, base: Path): EmulateError {
  const isAsked = document.text !== null && valueAt(document.value, base) !== undefined;
  if (!isAsked) return error;
  const path = valueAt(document.value, [...base, field]) === undefined ? base : [...base, field];
  const { message } = failureOf(document, [{ path, on: 'value', text: error.message }]);
  return new EmulateError(error.code, message, field);
}
