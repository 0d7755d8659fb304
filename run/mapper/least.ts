// Cycles that a kernel cannot stay under on any engine, without running it: the slots of its busiest core, one of which is
// issued a cycle at most, and the time its streams take to come in. Nothing here is a guess: a mapping whose least
// cycles are above what another one takes is not worth running.

import type { MatmulStep, ProgramStep, StepShape, WeightGradientStep } from '../../compiler/lower/program.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { type AttentionGatherShape, fewestWavelets, gatherSlots } from '../../kernels/attention/gather.ts';
import { gatherBothSlots } from '../../kernels/attention/gatherBoth.ts';
import { gradientSlots } from '../../kernels/attention/gradients.ts';
import { scoreSlots } from '../../kernels/attention/scores.ts';
import { softmaxSlots } from '../../kernels/attention/softmax.ts';
import { softmaxBackwardSlots } from '../../kernels/attention/softmaxBackward.ts';
import { valueSlots } from '../../kernels/attention/values.ts';
import { burstLength } from '../../kernels/bursts.ts';
import { sumWavelets } from '../../kernels/weightGradient/shape.ts';
import { isFolded } from '../step.ts';
import { type ColumnTotals, columnTotals, type ColumnTotalsOf } from './columnTotals.ts';

/** Least cycles of one run of a step on a wafer of which `rows` rows are in use, the start of its kernel included. */
export type LeastCycles = (step: ProgramStep, rows: number) => number;

export function leastCyclesOn(machine: Machine): LeastCycles {
  const totalsOf = columnTotals();
  // Many numbers of columns give a head as many.
  const known = new Map<string, number>();
  return ({ shape }, rows) => {
    let least: number;
    if (shape.kernel.startsWith('attention')) {
      const key = JSON.stringify(shape);
      least = known.get(key) ?? leastOf(shape, machine, totalsOf);
      known.set(key, least);
    } else least = leastOf(shape, machine, totalsOf);
    return machine.core.kernelStart + least + (isFolded(shape.kernel) ? rows - 1 : 0);
  };
}

function leastOf(shape: StepShape, machine: Machine, totalsOf: ColumnTotalsOf): number {
  switch (shape.kernel) {
    case 'spmm':
      return leastOfMatmul(shape, machine, totalsOf(shape));
    case 'weightGradient':
      return leastOfGradient(shape, machine, totalsOf(shape));
    case 'rowStream':
      return Math.max(shape.total, lastDue(shape.total, shape.gap) + 1);
    case 'affine':
      return lastDue(shape.features, shape.gap) + 1;
    case 'local':
      return shape.slots;
    case 'ringShift':
      return shape.size > 1 ? 2 * shape.wavelets : 0;
    case 'attentionScores':
      // Segment 0 reaches position 0 by way of all others, which then has the other segments before it.
      return scoreSlots(shape, machine) + (shape.headCols - 1) * leastLead(machine);
    case 'attentionSoftmax':
      return softmaxSlots(shape, machine, 0);
    case 'attentionGather':
      return Math.max(gatherSlots(shape), gatherLeast(shape, machine));
    case 'attentionValues':
      return valueSlots(shape, machine);
    case 'attentionSoftmaxBackward':
      return softmaxBackwardSlots(shape, machine, 0);
    case 'attentionGatherBoth':
      return gatherBothSlots(shape);
    case 'attentionGradients':
      return gradientSlots(shape, machine);
    case 'columnReduce':
      return lastDue(shape.wavelets, shape.gap) + 1 + (shape.rows - 1) * leastLead(machine);
    // A thousandth of the cycles of a model.
    case 'attentionDelta':
    case 'attentionNormalise':
    case 'broadcast':
    case 'chainReduce':
    case 'layerNorm':
    case 'layerNormBackward':
    case 'logitGradient':
    case 'logitMerge':
    case 'logitScale':
    case 'logitStats':
      return 0;
  }
}

/**
 * The slots of the column that is fullest over all chunks: every product, every control wavelet, every gradient on its way
 * and every sum. Beside them each chunk has its starts and its way down the rows, twice.
 */
function leastOfGradient(step: WeightGradientStep, machine: Machine, { most, features }: ColumnTotals): number {
  const { core } = machine;
  const { tokens, accumulate, rows, buffers, outGap } = step;
  const half = accumulate === 'fp16';
  const chunks = Math.ceil(features / step.features);
  const aProduct = core.axpyOverhead + Math.ceil(tokens / (half ? core.simdFp16 : core.simdFp16ToFp32));
  const wavelets = sumWavelets(most, accumulate);
  return (
    most * aProduct +
    features * (core.controlSlots + Math.ceil(tokens / 2)) +
    Math.max(0, Math.floor(((wavelets - chunks) * outGap[0]) / outGap[1])) +
    chunks * (buffers * core.controlSlots + (rows - 1) * (1 + leastLead(machine))) +
    (2 * chunks - 1) * core.kernelStart
  );
}

/** Cycle before which the last of so many wavelets does not enter. */
function lastDue(wavelets: number, [numerator, denominator]: readonly [number, number]): number {
  return Math.ceil(((wavelets - 1) * numerator) / denominator);
}

/** From a slot that sends to the one that can use it, one hop away. */
function leastLead({ core, fabric }: Machine): number {
  return 2 * fabric.rampLatency + core.resultLatency + 1;
}

/** In each round all positions send a burst at the earliest when all have received the last one, and then receive one. */
function gatherLeast(shape: AttentionGatherShape, machine: Machine): number {
  const fewest = fewestWavelets(shape);
  const burst = burstLength(machine);
  let round = 0;
  for (let sent = 0; sent < fewest; sent += burst)
    round += Math.min(burst, fewest - sent) + Math.max(Math.min(burst, fewest - sent), leastLead(machine));
  return (shape.headCols - 1) * round;
}

/**
 * The largest of three. Of the fullest column: every weight, every control wavelet and every partial sum has its slots. Its
 * last wavelet, a control wavelet, has its own slots and those of the last sums still to come when it enters. And the
 * sums of the last feature leave the first column, at best the emptiest one, after all slots of that and then go the
 * whole way round.
 */
function leastOfMatmul(step: MatmulStep, machine: Machine, { most, fewest, features }: ColumnTotals): number {
  const { core } = machine;
  const { tokens, accumulate, gap, cols } = step;
  const half = accumulate === 'fp16';
  const sums = Math.ceil(tokens / (half ? 2 : 1));
  const aWeight = core.axpyOverhead + Math.ceil(tokens / (half ? core.simdFp16 : core.simdFp16ToFp32));
  const ofFeatures = features * (core.controlSlots + sums);
  return Math.max(
    most * aWeight + ofFeatures,
    lastDue(most + features, gap) + core.controlSlots + sums,
    fewest * aWeight + ofFeatures + (cols - 1) * leastLead(machine),
  );
}
