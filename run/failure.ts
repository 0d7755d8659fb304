// An error of ours as data: one that crosses to another thread loses its class and its code.

import { EmulateError, type ExitCode } from '../emulator/errors.ts';
import { type Law, LawError, type SmallestCase } from '../emulator/laws.ts';

export interface Failure {
  readonly code: ExitCode;
  readonly message: string;
  /** Of a broken law. */
  readonly law?: Law;
  readonly smallest?: SmallestCase | undefined;
}

/** Any other error is thrown on. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof EmulateError)) throw error;
  const { code, message } = error;
  if (!(error instanceof LawError)) return { code, message };
  return { code, message, law: error.law, smallest: error.smallest };
}

export function errorOf({ code, message, law, smallest }: Failure): EmulateError {
  return law === undefined ? new EmulateError(code, message) : new LawError(law, message, smallest);
}
