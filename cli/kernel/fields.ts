// Fields that cases of several kernels have in a spec file, and how a wrong one is said.

import { z } from 'zod';
import type { Document } from '../../compiler/model/document.ts';
import { failureOf, type Issue } from '../../compiler/model/located.ts';
import type { Path } from '../../compiler/model/paths.ts';

/** The largest count of a cell, and the most of anything that is counted on a wafer. */
export const MOST = 65_535;

export const MOST_WAVELETS = 1_000_000;

export const count = z.int().min(1).max(MOST);
export const countOrZero = z.int().min(0).max(MOST);

export const latencies = z.strictObject({
  rampLatency: count,
  routerBuffer: count,
  inputQueue: count,
  outputQueue: count,
  creditLatency: count,
  resultLatency: countOrZero,
});

/** Passed over, so that a file of answers is also a spec. */
export const answers = { cycles: z.unknown().optional(), where: z.unknown().optional(), note: z.unknown().optional() };

export function fault(document: Document, path: Path, text: string): Error {
  const issue: Issue = { path, on: 'value', text };
  return failureOf(document, [issue]);
}
