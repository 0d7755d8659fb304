// Programs as files: msgpack, the same bytes for the same program, and with them their sha256, so that a file that has
// changed on its way is not taken for another program.

import { createHash } from 'node:crypto';
import { Packr } from 'msgpackr';
import { z } from 'zod';
import { inputError } from '../../emulator/errors.ts';
import { machineSchema } from '../../emulator/machine/spec.ts';
import { kernels } from '../../kernels/index.ts';
import { type Program, PROGRAM_FORMAT } from './program.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

export function encodeProgram(program: Program): Uint8Array {
  const body = packr.pack(program);
  return packr.pack({ sha256: sha256(body), program: body });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `name` is the file, for the message. */
export function decodeProgram(bytes: Uint8Array, name: string): Program {
  const file = envelope.safeParse(unpack(bytes, name));
  if (!file.success) throw notAProgram(name);
  const { program: body, sha256: hash } = file.data;
  if (sha256(body) !== hash)
    throw inputError(`${name}: damaged, its bytes are not those that were written; compile it again`);
  const program = unpack(body, name);
  if (!isProgram(program)) throw notAProgram(name);
  return program;
}

function notAProgram(name: string): Error {
  return inputError(
    `${name}: not a program of this version, allowed a file written by emulate compile --emit program --out`,
  );
}

function unpack(bytes: Uint8Array, name: string): unknown {
  try {
    return packr.unpack(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${name}: not a program file (${why}); make one with emulate compile --emit program --out`);
  }
}

const envelope = z.object({ sha256: z.string(), program: z.instanceof(Uint8Array) });

const count = z.int().min(1);

/** The frame of a program; shapes of kernels are taken as they are once their kernel is known. */
const frame = z.object({
  format: z.literal(PROGRAM_FORMAT),
  name: z.string(),
  machine: machineSchema,
  mapping: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.record(z.string(), z.number())])),
  tokens: count,
  operators: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      steps: z.array(
        z.object({
          shape: z.object({ kernel: z.enum([...Object.keys(kernels), 'weightGradient']) }),
          repeat: count,
          copies: count,
        }),
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
