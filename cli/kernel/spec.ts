// Spec files of `emulate kernel`: one case, or {"cases": [...]}, in the form of test/vectors/machine-vectors.json; a case is
// a kernel or any program (programSpec.ts). Answers beside a case (`cycles`, `where`, `note`) are passed over, so that a
// file of answers is also a spec.

import { z } from 'zod';
import type { Document } from '../../compiler/model/document.ts';
import { failureOf, show, type Issue } from '../../compiler/model/located.ts';
import { isObject, type Path } from '../../compiler/model/paths.ts';
import { validate } from '../../compiler/model/validate.ts';
import { type KernelCase, LINE_KERNELS } from '../../run/kernelCase.ts';
import { programOf, programSpec } from './programSpec.ts';

/** Those that flags can describe. */
export const KERNEL_NAMES = ['spmm', ...LINE_KERNELS] as const;

/** The largest count of a cell, and the most of anything that is counted on a wafer. */
export const MOST = 65_535;

export const MOST_WAVELETS = 1_000_000;

const count = z.int().min(1).max(MOST);
const countOrZero = z.int().min(0).max(MOST);

const latencies = z.strictObject({
  rampLatency: count,
  routerBuffer: count,
  inputQueue: count,
  outputQueue: count,
  creditLatency: count,
  resultLatency: countOrZero,
});

const answers = { cycles: z.unknown().optional(), where: z.unknown().optional(), note: z.unknown().optional() };

const spmm = z.strictObject({
  kernel: z.literal('spmm'),
  machine: latencies,
  rows: count,
  cols: count,
  tokens: count,
  // Its cells are looked at by cellsOf; a schema would take seconds for a large matrix.
  nnz: z.array(z.unknown()),
  waves: count.optional(),
  ends: z.array(countOrZero).optional(),
  accumulators: count,
  gap: z.array(z.int().min(1).max(MOST_WAVELETS)),
  axpyOverhead: countOrZero,
  controlSlots: count,
  simd: z.number().min(0.01).max(MOST),
  psumPerWavelet: z.int().min(1).max(2),
  ...answers,
});

const line = z.strictObject({
  kernel: z.enum(LINE_KERNELS),
  machine: latencies,
  width: count,
  wavelets: z.int().min(1).max(MOST_WAVELETS),
  ...answers,
});

const program = z.strictObject({ kernel: z.literal('program'), machine: latencies, ...programSpec, ...answers });

const kernelOnly = z.looseObject({ kernel: z.enum([...KERNEL_NAMES, 'program']) });
const oneCase = z.discriminatedUnion('kernel', [spmm, line, program]);

/** The cases of a spec file, in its order. */
export function kernelCases(document: Document): KernelCase[] {
  const several = isObject(document.value) && 'cases' in document.value;
  if (!several) {
    validate(document, kernelOnly);
    return [caseOf(document, [], validate(document, oneCase))];
  }
  // What else is wrong with a case depends on its kernel, so that comes first.
  const note = z.unknown().optional();
  validate(document, z.strictObject({ note, cases: z.array(kernelOnly) }));
  const { cases } = validate(document, z.strictObject({ note, cases: z.array(oneCase) }));
  if (cases.length === 0) throw fault(document, ['cases'], 'no case, got an empty list, allowed at least one case');
  return cases.map((one, i) => caseOf(document, ['cases', i], one));
}

function caseOf(document: Document, path: Path, one: z.output<typeof oneCase>): KernelCase {
  if (one.kernel === 'program') {
    return { kernel: 'program', program: programOf(document, path, one, one.machine), latencies: one.machine };
  }
  if (one.kernel !== 'spmm') {
    return { kernel: one.kernel, width: one.width, wavelets: one.wavelets, latencies: one.machine };
  }
  const { rows, cols, tokens, accumulators, axpyOverhead, controlSlots, simd, psumPerWavelet } = one;
  const nnz = cellsOf(document, [...path, 'nnz'], one.nnz, cols);
  const [numerator, denominator] = one.gap;
  if (one.gap.length !== 2 || numerator < denominator) {
    const text = `not a gap, got ${JSON.stringify(one.gap)}, allowed [n, d]: n / d cycles between two wavelets, at least 1`;
    throw fault(document, [...path, 'gap'], text);
  }
  const waves = one.waves ?? one.nnz.length;
  const least = Math.max(1, one.nnz.length - accumulators);
  if (waves < least || waves > one.nnz.length)
    throw fault(document, [...path, 'waves'], `not so many, got ${waves}, allowed ${least} to ${one.nnz.length}`);
  return {
    kernel: 'spmm',
    rows,
    cols,
    features: one.nnz.length,
    tokens,
    nnz,
    accumulators,
    gap: [numerator, denominator],
    axpyOverhead,
    controlSlots,
    simd,
    psumPerWavelet,
    latencies: one.machine,
    ...(one.waves === undefined ? {} : { waves }),
    ...(one.ends === undefined ? {} : { ends: endsOf(document, [...path, 'ends'], one.ends, waves, cols) }),
  };
}

function endsOf(document: Document, path: Path, ends: readonly number[], waves: number, cols: number): Uint16Array {
  if (ends.length !== waves)
    throw fault(document, path, `wrong length, got ${ends.length}, allowed ${waves}, one for each feature with sums`);
  ends.forEach((end, n) => {
    const isFree = end < cols && (cols === 1 || n === 0 || end !== ends[n - 1]);
    if (!isFree)
      throw fault(
        document,
        [...path, n],
        `not a position, got ${end}, allowed 0 to ${cols - 1}, and not that of the feature before`,
      );
  });
  return Uint16Array.from(ends);
}

function cellsOf(document: Document, path: Path, features: readonly unknown[], cols: number): Uint16Array {
  if (features.length === 0) throw fault(document, path, 'no feature, got an empty list, allowed at least one');
  const cells = new Uint16Array(features.length * cols);
  for (let n = 0; n < features.length; n++) {
    const feature: unknown = features[n];
    if (!Array.isArray(feature) || feature.length !== cols) {
      const got = Array.isArray(feature) ? `${feature.length} counts` : show(feature);
      throw fault(document, [...path, n], `wrong length, got ${got}, allowed a list of ${cols}, one for each column`);
    }
    const counts: readonly unknown[] = feature;
    for (let p = 0; p < cols; p++) {
      const cell = counts[p];
      if (typeof cell !== 'number' || !Number.isInteger(cell) || cell < 0 || cell > MOST)
        throw fault(document, [...path, n, p], `not a count, got ${show(cell)}, allowed a whole number 0 to ${MOST}`);
      cells[n * cols + p] = cell;
    }
  }
  return cells;
}

function fault(document: Document, path: Path, text: string): Error {
  const issue: Issue = { path, on: 'value', text };
  return failureOf(document, [issue]);
}
