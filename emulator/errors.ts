// The one error type of the project. Its code is the process exit code that the command line returns; product promise:
// 2 input, 3 does not fit, 4 deadlock, 5 a physical law broken, 6 a difference found, 7 values stray. Anything else is
// a defect (1). A message says what, what was got, what the limit is, and the way out.

export const EXIT = {
  ok: 0,
  defect: 1,
  input: 2,
  doesNotFit: 3,
  deadlock: 4,
  lawBroken: 5,
  difference: 6,
  valuesStray: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class EmulateError extends Error {
  readonly code: ExitCode;
  /** The field of the input that it is about, where there is one that does not stand in the message. */
  readonly field: string | undefined;

  constructor(code: ExitCode, message: string, field?: string) {
    super(message);
    this.name = 'EmulateError';
    this.code = code;
    this.field = field;
  }
}

/** A wrong input or command line (exit 2). */
export function inputError(message: string): EmulateError {
  return new EmulateError(EXIT.input, message);
}

/** A defect of the emulator itself (exit 1): something that its own checks should have kept out. */
export function internalError(message: string): EmulateError {
  return new EmulateError(EXIT.defect, `internal: ${message}`);
}

/** Cycles are counted in 32-bit integers; a kernel that could need more than this is refused (exit 2). */
export const MOST_CYCLES: number = 2 ** 30;

export function tooLong(what: string, cycles: number): EmulateError {
  return inputError(
    `${what} could take ${Math.ceil(cycles)} cycles, allowed ${MOST_CYCLES} for one kernel; take fewer tokens, features or slots`,
  );
}
