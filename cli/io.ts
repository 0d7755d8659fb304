// What a command may touch of the process: two outputs, the environment, and the signal that says that the user has had
// enough. Tests give their own; the real ones are made here and nowhere else.

import { inputError } from '../emulator/errors.ts';

export interface Output {
  readonly isTTY: boolean;
  /** Resolves once the text is on its way, so that a large document never lies in memory whole. */
  write(text: string): Promise<void>;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export function processIo(signal: AbortSignal): Io {
  return {
    stdout: outputOf(process.stdout, 'stdout'),
    stderr: outputOf(process.stderr, 'stderr'),
    env: process.env,
    signal,
  };
}

function outputOf(stream: NodeJS.WriteStream, name: string): Output {
  // What goes wrong comes back with the write that it happened to; without a listener it would end the process.
  stream.on('error', () => undefined);
  return {
    isTTY: stream.isTTY,
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error === null || error === undefined || isReaderGone(error)) resolve();
          else reject(inputError(`${name}: cannot be written (${error.message})`));
        });
      }),
  };
}

/** `emulate ... | head`: nobody reads on, which is no fault. */
function isReaderGone(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}
