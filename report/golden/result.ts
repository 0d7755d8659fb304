// What a golden pins down of a run: what was run, on which machine, in which mapping, and what it came to: cycles, and where
// those of all PEs went, by operator and by cause. Operators at the same place in all layers are one, as in the table of
// a report, so that a golden of 96 layers is as short as one of a single layer; the hash covers every layer.

import type { ModelSpec } from '../../compiler/model/spec.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { CAUSES, type Where } from '../../emulator/program/causes.ts';
import type { WaferRun } from '../../run/wafer.ts';
import { sha256 } from '../hash.ts';
import { linesOf } from '../operatorTable.ts';
import { reported, totals } from '../report.ts';

/** Counts of one pass: of one operator, or of those at the same place in `layers` layers. */
export interface Counts {
  readonly layers: number;
  readonly cycles: number;
  /** Cycles of all PEs in use, by cause. */
  readonly where: Where;
}

export interface GoldenResult {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly mapping: Readonly<Record<string, unknown>>;
  /** Of all passes. */
  readonly cycles: number;
  /** Of one pass, all operators together. */
  readonly where: Where;
  readonly operators: Readonly<Record<string, Counts>>;
  /** sha256 of all counts, and of the bytes of the fullest PE; of names and of the host it knows nothing. */
  readonly hash: string;
}

export function resultOfRun({ spec, wafer }: WaferRun): GoldenResult {
  const { mapping, padding, memory } = wafer;
  const operators = Object.fromEntries(
    linesOf(wafer.operators).map(({ name, layers, cycles, where }) => [name, { layers, cycles, where }]),
  );
  const counted = { mapping, padding, wafer: totals(wafer), operators: wafer.operators.map(reported), memory };
  return {
    inputs: inputsOf(spec),
    machine: machineOf(spec.machine.machine),
    mapping: { ...mapping, padding },
    cycles: wafer.cycles,
    where: sumOf(Object.values(operators)),
    operators,
    hash: sha256(counted),
  };
}

function inputsOf({ kind, shape, workload, sparsity, mapping }: ModelSpec): GoldenResult['inputs'] {
  return { kind, shape, workload, sparsity, mapping };
}

/** Without what no cycle depends on. */
export function machineOf({ name: _name, energy: _energy, ...constants }: Machine): GoldenResult['machine'] {
  return constants;
}

export function sumOf(counts: readonly Pick<Counts, 'where'>[]): Where {
  const sum: Where = {
    compute: 0,
    overhead: 0,
    reduce: 0,
    waitWeights: 0,
    waitThread: 0,
    waitPartial: 0,
    waitCredit: 0,
    done: 0,
  };
  for (const { where } of counts) for (const cause of CAUSES) sum[cause] += where[cause];
  return sum;
}
