// How much work it is to run a program exactly, so that a search ends in seconds whatever the model: nanoseconds of one core
// of the computer that the constants were measured on. Counted, not clocked: every computer makes the same choice.

import type { Graph } from '../../compiler/graph/graph.ts';
import type { MatmulStep, ProgramOperator, ProgramStep } from '../../compiler/lower/program.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Accumulate } from '../../compiler/model/spec.ts';
import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { isRateOne, ringBuffers } from '../../emulator/streamed/buffers.ts';

/** Of a cell (an output feature on a column) in closed form, and where its weights may come late. */
const CLOSED_CELL = 8;
const LATE_CELL = 80;
/** Looking ahead: of a cell, and of the square of its wavelets of partial sums. */
const AHEAD_CELL = 40;
const AHEAD_SQUARE = 2;
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

/** Of the matmuls of a whole model where features are too short for that. */
export function workAhead({ nodes }: Graph, { columns, tokensPerPe, accumulate }: Mapping): number {
  const features = nodes.reduce((sum, { operator }) => {
    if (operator.kind === 'linear') return sum + operator.out;
    return operator.kind === 'lmHead' ? sum + operator.vocabulary : sum;
  }, 0);
  return features * columns * cellAhead(tokensPerPe, accumulate);
}

function cellAhead(tokens: number, accumulate: Accumulate): number {
  return AHEAD_CELL + AHEAD_SQUARE * sumsOf(tokens, accumulate) ** 2;
}

/** Wavelets of partial sums of a feature. */
function sumsOf(tokens: number, accumulate: Accumulate): number {
  return Math.ceil(tokens / (accumulate === 'fp16' ? 2 : 1));
}

function workOfMatmul({ cols, tokens, accumulate, weights, gap }: MatmulStep, machine: Machine): number {
  const { mask, transposed } = weights;
  return (transposed ? mask.width : mask.rows) * cols * workOfCell(tokens, accumulate, gap[0] / gap[1], machine);
}

function workOfStep({ shape }: ProgramStep, machine: Machine): number {
  if (shape.kernel === 'spmm') return workOfMatmul(shape, machine);
  if (shape.kernel !== 'weightGradient') return KERNEL;
  const { weights, cols, tokens, gap } = shape;
  // Gradients go round in fp16.
  return weights.mask.rows * cols * workOfCell(tokens, 'fp16', gap[0] / gap[1], machine);
}

/** `gap`: cycles between two wavelets of a stream. */
function workOfCell(tokens: number, accumulate: Accumulate, gap: number, machine: Machine): number {
  if (!isClosed({ tokensPerPe: tokens, accumulate }, machine)) return cellAhead(tokens, accumulate);
  const { core } = machine;
  const aWeight = core.axpyOverhead + tokens / (accumulate === 'fp16' ? core.simdFp16 : core.simdFp16ToFp32);
  return gap < aWeight ? CLOSED_CELL : LATE_CELL;
}

export function workOf(operators: readonly ProgramOperator[], machine: Machine): number {
  return operators.reduce((sum, { steps }) => steps.reduce((all, step) => all + workOfStep(step, machine), sum), 0);
}
