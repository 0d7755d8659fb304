// How much work it is to run a program exactly, so that a search ends in seconds whatever the model: nanoseconds of one core
// of the computer that the constants were measured on. Counted, not clocked: every computer makes the same choice.

import type { MatmulStep, ProgramOperator } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Accumulate } from '../../compiler/model/spec.ts';
import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { isRateOne, ringBuffers } from '../../emulator/streamed/buffers.ts';

/** Of a cell (an output feature on a column) in closed form; looking ahead also of each wavelet of partial sums. */
const CLOSED_CELL = 8;
const AHEAD_CELL = 50;
const AHEAD_WAVELET = 30;
/** Of a kernel that is not a matmul. */
const KERNEL = 5e6;

/** Have the matmuls of a mapping features long enough for the closed form? */
export function isClosed(
  { tokensPerPe, accumulate }: Pick<Mapping, 'tokensPerPe' | 'accumulate'>,
  machine: Machine,
): boolean {
  const latencies = latenciesOf(machine);
  return isRateOne(latencies) && sumsOf(tokensPerPe, accumulate) >= Math.max(...ringBuffers(4, latencies).slack);
}

/** Wavelets of partial sums of a feature. */
function sumsOf(tokens: number, accumulate: Accumulate): number {
  return Math.ceil(tokens / (accumulate === 'fp16' ? 2 : 1));
}

function workOfMatmul({ cols, tokens, accumulate, weights }: MatmulStep, machine: Machine): number {
  const cell = isClosed({ tokensPerPe: tokens, accumulate }, machine)
    ? CLOSED_CELL
    : AHEAD_CELL + AHEAD_WAVELET * sumsOf(tokens, accumulate);
  return weights.mask.rows * cols * cell;
}

export function workOf(operators: readonly ProgramOperator[], machine: Machine): number {
  return operators.reduce(
    (sum, { steps }) =>
      sum +
      steps.reduce((all, { shape }) => all + (shape.kernel === 'spmm' ? workOfMatmul(shape, machine) : KERNEL), 0),
    0,
  );
}
