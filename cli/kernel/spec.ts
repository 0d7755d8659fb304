// Spec files of `emulate kernel`: one case, or {"cases": [...]}, in the form of test/vectors/machine-vectors.json; a case is
// a matrix (matmulSpec.ts), a line or any program (programSpec.ts).

import { z } from 'zod';
import type { Document } from '../../compiler/model/document.ts';
import { isObject, type Path } from '../../compiler/model/paths.ts';
import { validate } from '../../compiler/model/validate.ts';
import { type KernelCase, LINE_KERNELS } from '../../run/kernelCase.ts';
import { answers, count, fault, latencies, MOST_WAVELETS } from './fields.ts';
import { gradientOf, gradientSpec, matmulOf, matmulSpec } from './matmulSpec.ts';
import { programOf, programSpec } from './programSpec.ts';

/** Those that flags can describe. */
export const KERNEL_NAMES = ['spmm', 'weightGradient', ...LINE_KERNELS] as const;

const line = z.strictObject({
  kernel: z.enum(LINE_KERNELS),
  machine: latencies,
  width: count,
  wavelets: z.int().min(1).max(MOST_WAVELETS),
  ...answers,
});

const program = z.strictObject({ kernel: z.literal('program'), machine: latencies, ...programSpec, ...answers });

const kernelOnly = z.looseObject({ kernel: z.enum([...KERNEL_NAMES, 'program']) });
const oneCase = z.discriminatedUnion('kernel', [matmulSpec, gradientSpec, line, program]);

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
  if (one.kernel === 'spmm') return matmulOf(document, path, one);
  if (one.kernel === 'weightGradient') return gradientOf(document, path, one);
  return { kernel: one.kernel, width: one.width, wavelets: one.wavelets, latencies: one.machine };
}
