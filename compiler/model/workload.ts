// How many tokens a run has.

import type { Document } from './document.ts';
import { failureOf, placeToBlame, type Issue } from './located.ts';
import type { MatmulDocument } from './schema.ts';
import type { Workload } from './spec.ts';

/** Indices of tokens are 32-bit integers. */
const MOST_TOKENS = 2 ** 31 - 1;

/** Throws `issues` and what is wrong with the number of tokens. */
export function workloadOf(
  document: Document,
  { batch, sequence, kind, recompute }: Omit<Workload, 'tokens'>,
  issues: readonly Issue[],
): Workload {
  const tokens = batch * sequence;
  const all = [...issues];
  if (tokens > MOST_TOKENS) {
    const path = placeToBlame(document, [
      ['workload', 'batch'],
      ['workload', 'sequence'],
    ]);
    const text = `too many tokens, got ${batch} x ${sequence} = ${tokens}, allowed ${MOST_TOKENS}; take a smaller batch`;
    all.push({ path, on: 'value', text });
  }
  if (all.length > 0) throw failureOf(document, all);
  return { kind, recompute, batch, sequence, tokens };
}

/** A matrix sees only tokens; how they make up sequences is one way to say how many. */
export function matmulWorkloadOf(document: Document, { workload }: MatmulDocument): Workload {
  const { tokens, batch, sequence } = workload;
  const path = ['workload'];
  if (tokens !== undefined && (batch !== undefined || sequence !== undefined)) {
    const text = 'tokens beside batch and sequence, allowed either; leave one out';
    throw failureOf(document, [{ path: [...path, 'tokens'], on: 'key', text }]);
  }
  const rows = tokens ?? sequence;
  if (rows === undefined) {
    const text = 'missing tokens (or sequence); a matrix has no context to take them from, e.g. {"tokens": 2048}';
    throw failureOf(document, [{ path, on: 'value', text }]);
  }
  return workloadOf(document, { kind: 'prefill', recompute: 'layer', batch: batch ?? 1, sequence: rows }, []);
}
