// Programs as files: msgpack, the same bytes for the same program.

import { Packr } from 'msgpackr';
import { inputError } from '../../emulator/errors.ts';
import { type Program, PROGRAM_FORMAT } from './program.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

export function encodeProgram(program: Program): Uint8Array {
  return packr.pack(program);
}

/** `name` is the file, for the message. */
export function decodeProgram(bytes: Uint8Array, name: string): Program {
  const program = unpack(bytes, name);
  if (!isProgram(program))
    throw inputError(
      `${name}: not a program of this version, allowed a file written by emulate compile --emit program --out`,
    );
  return program;
}

function unpack(bytes: Uint8Array, name: string): unknown {
  try {
    return packr.unpack(bytes);
  } catch (error) {
    throw inputError(`${name}: not msgpack (${error instanceof Error ? error.message : String(error)})`);
  }
}

function isProgram(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === PROGRAM_FORMAT;
}
