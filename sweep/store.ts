// The folder of a sweep: the report of each point under the hash of its inputs. A file is written under another name in the
// same folder and renamed, so that whoever is killed leaves no half file under the name; one that is read counts only if
// the hash of its results is the one that it says.

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CAUSES } from '../emulator/program/causes.ts';
import { matmulNames } from '../kernels/spmm/accumulators.ts';
import { inputError } from '../emulator/errors.ts';
import { inputHash, type Report, REPORT_FORMAT, resultHash } from '../report/report.ts';
import type { Measurable } from './measured.ts';
import type { ReadyPoint } from './points.ts';

export function pointFile(folder: string, key: string): string {
  return join(folder, `${key}.json`);
}

export function writePoint(folder: string, key: string, report: Report): Promise<void> {
  return writeWhole(pointFile(folder, key), `${JSON.stringify(report)}\n`);
}

/** All of the text or, whatever happens, nothing of it. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(beside, text);
    await rename(beside, file);
  } catch (error) {
    // What cannot be taken away either is not what the user has to know.
    await rm(beside, { force: true }).catch(() => undefined);
    const why = error instanceof Error ? error.message : String(error);
    throw inputError(`${file}: cannot be written (${why}), allowed a --out folder with room for the results`);
  }
}

const accumulatorsByName = z.partialRecord(z.enum(matmulNames), z.number());

/** What is read of a report again; the hash says that the rest is there too. */
const storedReport = z.looseObject({
  format: z.literal(REPORT_FORMAT),
  wafer: z.looseObject({
    cycles: z.number(),
    seconds: z.number(),
    tokensPerSecond: z.number(),
    utilisation: z.number(),
  }),
  mapping: z.looseObject({
    columns: z.number(),
    tokensPerPe: z.number(),
    accumulators: z.union([z.number(), accumulatorsByName]),
  }),
  speedup: z.looseObject({ overGpu: z.number(), overDenseWafer: z.number(), ideal: z.number().nullable() }),
  operators: z.array(z.looseObject({ where: z.record(z.enum(CAUSES), z.number()) })),
  waferDense: z.unknown(),
  gpu: z.unknown(),
  memory: z.unknown(),
  hashes: z.looseObject({ input: z.string(), result: z.string() }),
});

/** The report of a point; `undefined` if there is none, or what is there is not it or not whole. */
export async function readPoint(folder: string, { key, spec }: ReadyPoint): Promise<Measurable | undefined> {
  const text = await readFile(pointFile(folder, key), 'utf8').catch(() => undefined);
  const read = storedReport.safeParse(text === undefined ? undefined : jsonOf(text));
  if (!read.success) return undefined;
  const { hashes } = read.data;
  const isIt = hashes.input === inputHash(spec) && hashes.result === resultHash(read.data);
  return isIt ? read.data : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
