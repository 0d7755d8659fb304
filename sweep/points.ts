// The points of a sweep as models, before anything runs. A point that is no model keeps its error; the others know the name
// of their file, a hash of all that decides what is in it, and which of them have the same wafer to run.

import { applyOverrides, type Overrides } from '../compiler/model/overrides.ts';
import type { Document } from '../compiler/model/document.ts';
import { resolveModel } from '../compiler/model/resolve.ts';
import type { ModelSpec } from '../compiler/model/spec.ts';
import { EmulateError, EXIT, type ExitCode, inputError } from '../emulator/errors.ts';
import { LawError, type SmallestCase } from '../emulator/laws.ts';
import { sha256 } from '../report/hash.ts';
import { REPORT_FORMAT } from '../report/report.ts';
import type { Varied } from './grid.ts';

/** Why a point has no result: the exit code and the message that it would end with alone. */
export interface Failure {
  readonly code: ExitCode;
  readonly message: string;
  /** Of a broken law. */
  readonly smallest?: SmallestCase | undefined;
}

export interface ReadyPoint {
  readonly varied: readonly Varied[];
  readonly spec: ModelSpec;
  /** Of the inputs and the version of the emulator. */
  readonly key: string;
  /** Of the inputs without the GPU: points with the same one run the wafer once. */
  readonly waferKey: string;
}

export interface WrongPoint {
  readonly varied: readonly Varied[];
  readonly failure: Failure;
}

export type Point = ReadyPoint | WrongPoint;

export function isReady(point: Point): point is ReadyPoint {
  return 'spec' in point;
}

export function pointModels(
  document: Document,
  overrides: Overrides,
  grid: readonly (readonly Varied[])[],
  version: string,
): Point[] {
  return grid.map((varied) => {
    const vary = varied.map(({ path, text }) => `${path}=${text}`);
    try {
      const spec = resolveModel(applyOverrides(document, { ...overrides, vary }));
      const inputs = inputsOf(spec);
      const format = REPORT_FORMAT;
      return {
        varied,
        spec,
        key: sha256({ version, format, inputs }),
        waferKey: sha256({ ...inputs, gpu: null }),
      };
    } catch (error) {
      return { varied, failure: failureOf(error) };
    }
  });
}

/** Throws (exit 2) where no point is a model: a field that does not exist, or a fault of the model file. */
export function refuseAllWrong(points: readonly Point[]): void {
  const [first] = points;
  if (isReady(first) || points.some(isReady)) return;
  const all = points.length === 1 ? '' : `\nnone of the ${points.length} points is a model; this is said of the first`;
  throw inputError(first.failure.message + all);
}

/** All that a report depends on, but not who said it: files, flags, sources. */
function inputsOf(spec: ModelSpec) {
  return { ...spec, origin: null, machine: { ...spec.machine, file: null, sources: null } };
}

/** An error of a point alone; an interrupt is one of the whole sweep and is thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof EmulateError) {
    if (error.code === EXIT.interrupted) throw error;
    const { code, message } = error;
    return error instanceof LawError ? { code, message, smallest: error.smallest } : { code, message };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: EXIT.defect, message: `internal: ${text}` };
}
