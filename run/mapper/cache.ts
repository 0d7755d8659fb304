// Mappings that were found before, as files: one a search, named by the sha256 of all that the search depends on. A file that
// is not there, cannot be read, or is not whole is as good as none; one that cannot be written is not missed. What is
// read is fitted anew, so that no file can bring in a mapping that the compiler would not have made.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Graph } from '../../compiler/graph/graph.ts';
import { fitMapping } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { MappingRequest } from '../../compiler/model/spec.ts';
import type { Machine } from '../../emulator/machine/spec.ts';

/** To be counted up when a search of the same version of the package would choose otherwise. */
const MAPPER_VERSION = 2;

export interface MappingCache {
  /** Made when something is kept. */
  readonly folder: string;
  /** Of the package. */
  readonly version: string;
}

/** What a search is made for. */
export interface Search {
  readonly graph: Graph;
  readonly machine: Machine;
  readonly request: MappingRequest;
}

const positive = z.int().min(1);

const kept = z.strictObject({ columns: positive, groups: positive, rows: positive, tokensPerPe: positive });

const file = z.strictObject({ hash: z.string(), mapping: kept });

/** Of what a file says, and of what it was found for. */
function hashOf(key: string, { columns, groups, rows, tokensPerPe }: z.output<typeof kept>): string {
  return createHash('sha256')
    .update(JSON.stringify([key, columns, groups, rows, tokensPerPe]))
    .digest('hex');
}

/** Names change nothing. */
function keyOf({ version }: MappingCache, { graph, machine, request }: Search): string {
  const all = { version, mapper: MAPPER_VERSION, graph: { ...graph, name: null }, machine: { ...machine, name: null } };
  return createHash('sha256')
    .update(JSON.stringify({ ...all, request }))
    .digest('hex');
}

export function cachedMapping(cache: MappingCache, search: Search): Mapping | undefined {
  const key = keyOf(cache, search);
  const read = file.safeParse(jsonOf(join(cache.folder, `${key}.json`)));
  if (!read.success || read.data.hash !== hashOf(key, read.data.mapping)) return undefined;
  const { columns, groups, rows, tokensPerPe } = read.data.mapping;
  const { graph, machine, request } = search;
  const choice = { columns, tokensPerPe, accumulators: request.accumulators };
  const fit = fitMapping(graph, machine, { ...request, groups, rows }, choice);
  return 'limit' in fit || fit.groups !== groups || fit.rows !== rows ? undefined : fit;
}

export function keepMapping(cache: MappingCache, search: Search, mapping: Mapping): void {
  const key = keyOf(cache, search);
  const { columns, groups, rows, tokensPerPe } = mapping;
  const chosen = { columns, groups, rows, tokensPerPe };
  const path = join(cache.folder, `${key}.json`);
  // Others may read or write the same file now: it appears whole or not at all.
  const beside = `${path}.${process.pid}`;
  const isWritten = isDone(() => {
    mkdirSync(cache.folder, { recursive: true });
    writeFileSync(beside, `${JSON.stringify({ hash: hashOf(key, chosen), mapping: chosen })}\n`);
    renameSync(beside, path);
  });
  if (!isWritten) isDone(() => rmSync(beside, { force: true }));
}

function isDone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
