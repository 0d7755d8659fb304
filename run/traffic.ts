// What an operator moves: wavelets from router to router, and words over the edge of the wafer.

import type { Program, ProgramStep } from '../compiler/lower/program.ts';
import type { OperatorTraffic } from './result.ts';
import { isFolded } from './step.ts';
import { foldedHops, type StepTiming } from './stepTiming.ts';

export function operatorTraffic(
  program: Program,
  steps: readonly ProgramStep[],
  timings: readonly StepTiming[],
): OperatorTraffic {
  let hops = 0;
  let words = 0;
  steps.forEach((step, j) => {
    const { repeat, copies, shape } = step;
    const { traffic } = timings[j];
    hops += repeat * copies * (isFolded(shape.kernel) ? foldedHops(traffic, program.mapping.rows) : traffic.hops);
    words += repeat * edgeWords(program, step, timings[j]);
  });
  return { hops, edgeWords: words };
}

/** Columns of a group that a step is on. */
export function groupWidth({ mapping }: Program, { shape, copies }: ProgramStep, { pes }: StepTiming): number {
  const { groups, rows } = mapping;
  return (copies * pes * (isFolded(shape.kernel) ? rows : 1)) / (groups * rows);
}

/**
 * Of one run of a step. Copies of a stream for several groups are made at the edge; rows of tokens and what leaves are of a
 * group. Of dense weights two pass in a word, as of indices, which pass not at all where all weights are there.
 */
export function edgeWords(program: Program, step: ProgramStep, timing: StepTiming): number {
  const { groups } = program.mapping;
  const { shape } = step;
  const { width, entering, leaving } = timing.traffic;
  const isMatrix = shape.kernel === 'spmm' || shape.kernel === 'weightGradient';
  const rectangles = groupWidth(program, step, timing) / width;
  const isOfGroup = shape.kernel === 'rowStream' && shape.order.by === 'tokens';
  const dense = isMatrix && shape.weights.mask.sparsity === 0;
  const share = shape.kernel === 'weightGradient' ? (dense ? 0 : 1 / 2) : dense ? 1 / 2 : 1;
  return rectangles * (share * entering * (isOfGroup ? groups : 1) + leaving * groups);
}
