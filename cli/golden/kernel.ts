// The cases of a kernel as a golden pins them down: each is an operator. Its hash covers every PE of every case.

import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { readDocument } from '../../compiler/model/document.ts';
import { resolveMachine } from '../../compiler/model/machine.ts';
import { machineReference } from '../../compiler/model/machineSchema.ts';
import { applyOverrides } from '../../compiler/model/overrides.ts';
import { validate } from '../../compiler/model/validate.ts';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { whereAt } from '../../emulator/program/causes.ts';
import { withBankConflicts } from '../../emulator/machine/spec.ts';
import { kernelFlags, type KernelOfGolden } from '../../report/golden/document.ts';
import { type Counts, type GoldenResult, machineOf, sumOf } from '../../report/golden/result.ts';
import { sha256 } from '../../report/hash.ts';
import { type KernelCase, specText } from '../../run/kernelCase.ts';
import { type CaseFlags, caseOf } from '../kernel/fromFlags.ts';
import { timings } from '../kernel/inWorker.ts';
import { kernelCases } from '../kernel/spec.ts';
import { type KernelTiming, totalsOf } from '../kernel/timing.ts';

export async function kernelResult(
  kernel: KernelOfGolden,
  set: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<GoldenResult> {
  const cases = 'spec' in kernel ? casesOfFile(folder, kernel.spec, set) : [caseOfFlags(kernel, set)];
  const operators: Record<string, Counts> = {};
  const banks: unknown[] = [];
  const names = cases.map(({ kernel }, i) => (cases.length === 1 ? kernel : `${i}.${kernel}`));
  for await (const timing of timings(cases, { engine: 'auto', workers: 1 }, signal)) {
    if (timing.cycles === 'deadlock') throw new EmulateError(EXIT.deadlock, timing.why);
    operators[names[banks.length]] = countsOf(timing);
    banks.push({ cycles: timing.cycles, where: Array.from(timing.where) });
  }
  const counts = Object.values(operators);
  return {
    inputs: Object.fromEntries(cases.map((one, i) => [names[i], inputsOf(one)])),
    machine: 'spec' in kernel ? {} : machineOfCase(cases[0]),
    mapping: {},
    cycles: counts.reduce((sum, { cycles }) => sum + cycles, 0),
    where: sumOf(counts),
    operators,
    hash: sha256(banks),
  };
}

function casesOfFile(folder: string, file: string, set: readonly string[]): KernelCase[] {
  return kernelCases(applyOverrides(readDocument(isAbsolute(file) ? file : join(folder, file)), { set }));
}

/** With a machine of which --set has perhaps changed some constants. */
const flags = z.strictObject({ ...kernelFlags, machine: machineReference });

/** As `emulate kernel` reads its flags. */
function caseOfFlags(kernel: Exclude<KernelOfGolden, { readonly spec: string }>, set: readonly string[]): KernelCase {
  const document = applyOverrides({ name: 'kernel', text: null, value: kernel, flags: [] }, { set });
  const { name, machine, accumulate, ...numbers } = validate(document, flags);
  const chosen = withBankConflicts(resolveMachine(document, ['machine'], machine).machine);
  const texts = Object.entries(numbers).map(([key, value]) => [key, String(value)]);
  const given: CaseFlags = Object.fromEntries(texts);
  return caseOf(name, given, chosen, accumulate);
}

function countsOf(timing: KernelTiming): Counts {
  return { layers: 1, cycles: timing.cycles, where: whereAt(totalsOf(timing), 0) };
}

function machineOfCase(one: KernelCase): GoldenResult['machine'] {
  return 'machine' in one ? machineOf(one.machine) : {};
}

/** Without the machine, which stands apart; of the counts of a matrix their hash. */
function inputsOf(one: KernelCase): GoldenResult['inputs'] {
  if ('step' in one) return { ...one.step, rows: one.rows };
  if (one.kernel === 'program') return { program: sha256(specText(one, '')) };
  return 'nnz' in one ? { ...one, nnz: sha256(Array.from(one.nnz)) } : { ...one };
}
