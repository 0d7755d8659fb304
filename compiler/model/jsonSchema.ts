// The JSON Schema (draft 7) of the files that a user writes, for editors and other programs: the form and the ranges. Rules
// between values are not in it; the emulator checks them when it reads the file.

import { z } from 'zod';
import { machineDocument } from './machineSchema.ts';
import { gptDocument, mappingDocument, matmulDocument } from './schema.ts';

const documents = {
  model: z.union([gptDocument, matmulDocument]),
  machine: machineDocument,
  mapping: mappingDocument,
} as const;

export type DocumentKind = keyof typeof documents;

export const documentKinds: readonly string[] = Object.keys(documents);

export function isDocumentKind(name: string): name is DocumentKind {
  return Object.hasOwn(documents, name);
}

export function jsonSchemaOf(kind: DocumentKind): object {
  const schema = z.toJSONSchema(documents[kind], { target: 'draft-7', io: 'input' });
  return { title: kind, ...schema };
}
