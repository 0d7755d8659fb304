// The cases that a command line names: a kernel with its flags, or a file of cases.

import type { Argv } from 'yargs';
import { readDocument } from '../../compiler/model/document.ts';
import { unknownValue } from '../../compiler/model/validate.ts';
import { inputError } from '../../emulator/errors.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { CASE_FLAGS, type CaseFlags, caseOf, machineOf } from './fromFlags.ts';
import { KERNEL_NAMES, kernelCases } from './spec.ts';

export interface CaseArguments extends CaseFlags {
  readonly name: string | undefined;
  readonly spec: string | undefined;
  readonly machine: string;
  readonly accumulate: string;
}

/** `machine` is that of a kernel with flags; the cases of a file bring their latencies along. */
export interface GivenCases {
  readonly cases: readonly KernelCase[];
  readonly machine: Machine | undefined;
}

const text = { type: 'string', nargs: 1 } as const;

export function withCases(yargs: Argv): Argv<CaseArguments> {
  const withFlags = Object.entries(CASE_FLAGS).reduce<Argv<CaseFlags>>((so, [name, { what, usual }]) => {
    const describe = usual === undefined ? what : `${what}; ${usual} unless given`;
    return so.option(name, { ...text, describe });
  }, yargs);
  return withFlags
    .positional('name', { type: 'string', describe: KERNEL_NAMES.join(', ') })
    .option('spec', { ...text, describe: 'file of cases, kernels or programs: one, or {"cases": [...]}' })
    .option('machine', { ...text, default: 'wse2', describe: 'preset or machine file' })
    .option('accumulate', { ...text, default: 'fp16', describe: 'fp16 or fp32' });
}

/** `command` is the one that is given them, for messages. */
export function givenCases(command: string, given: CaseArguments): GivenCases {
  const { name, spec } = given;
  if (spec !== undefined) {
    if (name !== undefined) throw inputError(`${command}: got both ${name} and --spec, allowed one of them`);
    return { cases: kernelCases(readDocument(spec)), machine: undefined };
  }
  if (name === undefined)
    throw inputError(`${command}: no kernel, got nothing, allowed ${KERNEL_NAMES.join(', ')}, or --spec FILE`);
  const kernel = choice('kernel', name, KERNEL_NAMES);
  const machine = machineOf(given.machine);
  const accumulate = choice('--accumulate', given.accumulate, ['fp16', 'fp32']);
  return { cases: [caseOf(kernel, given, machine, accumulate)], machine };
}

export function choice<const Name extends string>(what: string, got: string, allowed: readonly Name[]): Name {
  const name = allowed.find((one) => one === got);
  if (name === undefined) throw inputError(`${what}: ${unknownValue(got, allowed)}`);
  return name;
}
