// A case from flags: a sparse matmul with a random mask, the gradient by its weights, or a line of PEs, on a machine by name.

import { streamGap } from '../../kernels/edge.ts';
import { readText } from '../../compiler/model/document.ts';
import { resolveMachine } from '../../compiler/model/machine.ts';
import { isMachineName, machineNames } from '../../compiler/model/machineSchema.ts';
import { unknownValue } from '../../compiler/model/validate.ts';
import { inputError } from '../../emulator/errors.ts';
import { latenciesOf, type Machine, withBankConflicts } from '../../emulator/machine/spec.ts';
import { type Accumulate, indexGap } from '../../kernels/weightGradient/shape.ts';
import type { KernelCase, LineCase } from '../../run/kernelCase.ts';
import { MOST, MOST_WAVELETS } from './fields.ts';
import type { KERNEL_NAMES } from './spec.ts';

/** The numbers of a case; those without a usual value must be given. */
export const CASE_FLAGS = {
  rows: { what: 'rows of PEs', usual: '1' },
  cols: { what: 'columns of PEs, the positions of the ring', usual: undefined },
  in: { what: 'input features', usual: undefined },
  out: { what: 'output features', usual: undefined },
  sparsity: { what: 'share of the weights that is zero', usual: '0' },
  tokens: { what: 'tokens a PE', usual: undefined },
  accumulators: { what: 'accumulators a PE; of weightGradient the gradients it has room for', usual: '8' },
  seed: { what: 'seed of the mask', usual: '1' },
  width: { what: 'PEs of a chain or a broadcast', usual: undefined },
  wavelets: { what: 'wavelets of a chain or a broadcast', usual: undefined },
} as const;

type Flag = keyof typeof CASE_FLAGS;

export type CaseFlags = { readonly [Name in Flag]?: string | undefined };

/** Mask cells that memory surely holds. */
const MOST_CELLS = 2 ** 28;
/** As of a model file. */
const MOST_FEATURES = 2 ** 20;

export function machineOf(name: string): Machine {
  if (!isMachineName(name)) {
    const reading = readText(name);
    if ('problem' in reading && reading.isAbsent)
      throw inputError(
        `--machine ${name}: ${reading.problem}; ${unknownValue(name, machineNames, ', or a machine file')}`,
      );
  }
  const flags = [{ path: ['machine'], text: `--machine ${name}` }];
  const document = { name: '--machine', text: null, value: { machine: name }, flags };
  return withBankConflicts(resolveMachine(document, ['machine'], name).machine);
}

export function caseOf(
  kernel: (typeof KERNEL_NAMES)[number],
  given: CaseFlags,
  machine: Machine,
  accumulate: Accumulate,
): KernelCase {
  return kernel === 'spmm' || kernel === 'weightGradient'
    ? drawnOf(kernel, given, machine, accumulate)
    : lineOf(kernel, given, machine);
}

/** A matmul and the gradient by its weights have the same mask. */
function drawnOf(
  kernel: 'spmm' | 'weightGradient',
  given: CaseFlags,
  machine: Machine,
  accumulate: Accumulate,
): KernelCase {
  const { width, height } = machine.fabric;
  const rows = whole(given, 'rows', 1, Math.min(MOST, height));
  const cols = whole(given, 'cols', 1, Math.min(MOST, width));
  const inputs = whole(given, 'in', 1, Math.min(MOST_FEATURES, MOST * cols));
  const outputs = whole(given, 'out', 1, Math.min(MOST_FEATURES, Math.floor(MOST_CELLS / cols)));
  const sparsity = numberOf(given, 'sparsity', 'a number 0 to 1', (x) => x >= 0 && x <= 1);
  const tokens = whole(given, 'tokens', 1, MOST);
  const accumulators = whole(given, 'accumulators', 1, MOST);
  const seed = whole(given, 'seed', 0, 2 ** 32 - 1);
  const weights = {
    mask: { name: 'spmm', seed, sparsity, rows: outputs, width: inputs },
    input: { kind: 'strided', features: inputs },
    output: { kind: 'strided', features: outputs },
  } as const;
  const step = { weights, cols, tokens, accumulate } as const;
  const dense = sparsity === 0;
  if (kernel === 'weightGradient') {
    const gap = indexGap(machine, cols, dense);
    return { kernel, step: { ...step, buffers: accumulators, features: outputs, gap }, machine, rows };
  }
  const gap = streamGap(machine, cols, dense ? 2 : 1);
  return { kernel, step: { kernel, ...step, accumulators, gap }, machine, rows };
}

function lineOf(kernel: LineCase['kernel'], given: CaseFlags, machine: Machine): LineCase {
  const width = whole(given, 'width', 1, Math.min(MOST, machine.fabric.width));
  const wavelets = whole(given, 'wavelets', 1, MOST_WAVELETS);
  return { kernel, width, wavelets, latencies: latenciesOf(machine) };
}

function whole(given: CaseFlags, flag: Flag, least: number, most: number): number {
  const isAllowed = (x: number): boolean => Number.isInteger(x) && x >= least && x <= most;
  return numberOf(given, flag, `a whole number ${least} to ${most}`, isAllowed);
}

function numberOf(given: CaseFlags, flag: Flag, allowed: string, isAllowed: (value: number) => boolean): number {
  const { what, usual } = CASE_FLAGS[flag];
  const text = given[flag] ?? usual;
  if (text === undefined) throw inputError(`--${flag}: missing, got nothing, allowed ${allowed} (${what})`);
  const typed = text.trim();
  const value = typed === '' ? NaN : Number(typed);
  if (!isAllowed(value)) throw inputError(`--${flag}: got ${JSON.stringify(text)}, allowed ${allowed} (${what})`);
  return value;
}
