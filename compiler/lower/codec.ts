// Programs as files: msgpack, the same bytes for the same program.

import { Packr } from 'msgpackr';
import { z } from 'zod';
import { inputError } from '../../emulator/errors.ts';
import { machineSchema } from '../../emulator/machine/spec.ts';
import { kernels } from '../../kernels/index.ts';
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

const count = z.int().min(1);

/** The frame of a program; shapes of kernels are taken as they are once their kernel is known. */
const frame = z.object({
  format: z.literal(PROGRAM_FORMAT),
  name: z.string(),
  machine: machineSchema,
  mapping: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  tokens: count,
  operators: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      steps: z.array(
        z.object({ shape: z.object({ kernel: z.enum(Object.keys(kernels)) }), repeat: count, copies: count }),
      ),
    }),
  ),
  memory: z.object({
    operator: z.string(),
    items: z.array(z.object({ what: z.string(), bytes: count })),
    bytes: count,
    sramBytes: count,
  }),
});

function isProgram(value: unknown): value is Program {
  return frame.safeParse(value).success;
}
