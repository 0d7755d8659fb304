// What a sweep keeps of the report of a point: the numbers that are compared, a line in every table.

import { CAUSES, type Where } from '../emulator/program/causes.ts';
import { accumulatorsText } from '../kernels/spmm/accumulators.ts';
import type { Report, Speedup, Totals } from '../report/report.ts';
import { boundOf } from '../run/bound.ts';
import type { Bound } from '../run/result.ts';

/** The part of a report that is looked at. */
export interface Measurable {
  readonly wafer: Totals;
  readonly mapping: Pick<Report['mapping'], 'columns' | 'tokensPerPe' | 'accumulators'>;
  readonly speedup: Pick<Speedup, 'overGpu' | 'overDenseWafer' | 'ideal'>;
  readonly operators: readonly { readonly where: Where }[];
  readonly hashes: Pick<Report['hashes'], 'result'>;
}

export interface Measured extends Totals {
  readonly overDenseWafer: number;
  readonly ideal: number | null;
  readonly overGpu: number;
  /** Of all operators together. */
  readonly boundBy: Bound;
  readonly columns: number;
  readonly tokensPerPe: number;
  /** One number where all matmuls have as many. */
  readonly accumulators: number | string;
  /** Hash of the results. */
  readonly result: string;
}

export function measuredOf({ wafer, mapping, speedup, operators, hashes }: Measurable): Measured {
  return {
    cycles: wafer.cycles,
    seconds: wafer.seconds,
    tokensPerSecond: wafer.tokensPerSecond,
    utilisation: wafer.utilisation,
    overDenseWafer: speedup.overDenseWafer,
    ideal: speedup.ideal,
    overGpu: speedup.overGpu,
    boundBy: boundOf(sumOf(operators.map(({ where }) => where))),
    columns: mapping.columns,
    tokensPerPe: mapping.tokensPerPe,
    accumulators:
      typeof mapping.accumulators === 'number' ? mapping.accumulators : accumulatorsText(mapping.accumulators),
    result: hashes.result,
  };
}

function sumOf(all: readonly Where[]): Where {
  const [first, ...rest] = all;
  const sum = { ...first };
  for (const where of rest) for (const cause of CAUSES) sum[cause] += where[cause];
  return sum;
}
