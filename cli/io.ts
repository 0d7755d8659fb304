// What a command may do to the world: two streams and the environment. Tests give their own.

export interface Io {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
}
