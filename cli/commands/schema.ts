// `emulate schema <kind>`: the JSON Schema of a file that a user writes, for editors.

import type { CommandModule } from 'yargs';
import type { Io } from '../io.ts';
import { inputError } from '../../emulator/errors.ts';

interface Arguments {
  kind: string;
}

export function schemaCommand(io: Io): CommandModule<object, Arguments> {
  return {
    command: 'schema <kind>',
    describe: 'print the JSON Schema of a model, machine, mapping or plan file',
    builder: (yargs) =>
      yargs.positional('kind', { type: 'string', demandOption: true, describe: 'model, machine, mapping, plan' }),
    handler: async ({ kind }) => {
      await io.stdout.write(`${await schemaText(kind)}\n`);
    },
  };
}

// The schemas are loaded when asked for: zod would slow the start of every other command.
export async function schemaText(kind: string): Promise<string> {
  const { documentKinds, isDocumentKind, jsonSchemaOf } = await import('../../compiler/model/jsonSchema.ts');
  if (kind === 'plan') {
    const { planJsonSchema } = await import('../../plan/schema.ts');
    return JSON.stringify(planJsonSchema(), null, 2);
  }
  if (isDocumentKind(kind)) return JSON.stringify(jsonSchemaOf(kind), null, 2);
  const { unknownValue } = await import('../../compiler/model/validate.ts');
  throw inputError(`schema: ${unknownValue(kind, [...documentKinds, 'plan'])}`);
}
