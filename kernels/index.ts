// Every kernel by its name, and what a case of each is.

import type { Machine } from '../emulator/machine/spec.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { affine, type AffineShape } from './affine.ts';
import { attentionDelta, type AttentionDeltaShape } from './attention/delta.ts';
import { attentionGather, type AttentionGatherShape } from './attention/gather.ts';
import { attentionGatherBoth, type AttentionGatherBothShape } from './attention/gatherBoth.ts';
import { attentionGradients, type AttentionGradientsShape } from './attention/gradients.ts';
import { attentionNormalise, type AttentionNormaliseShape } from './attention/normalise.ts';
import { attentionScores, type AttentionScoresShape } from './attention/scores.ts';
import { attentionSoftmax, type AttentionSoftmaxShape } from './attention/softmax.ts';
import { attentionSoftmaxBackward, type AttentionSoftmaxBackwardShape } from './attention/softmaxBackward.ts';
import { attentionValues, type AttentionValuesShape } from './attention/values.ts';
import { broadcast, type BroadcastShape } from './broadcast.ts';
import { chainReduce, type ChainReduceShape } from './chainReduce.ts';
import { columnReduce, type ColumnReduceShape } from './columnReduce.ts';
import type { Kernel } from './kernel.ts';
import { layerNorm, type LayerNormShape } from './layerNorm.ts';
import { layerNormBackward, type LayerNormBackwardShape } from './layerNormBackward.ts';
import { local, type LocalShape } from './local.ts';
import { logitGradient, type LogitGradientShape } from './logitGradient.ts';
import { logitMerge, type LogitMergeShape } from './logitMerge.ts';
import { logitScale, type LogitScaleShape } from './logitScale.ts';
import { logitStats, type LogitStatsShape } from './logitStats.ts';
import { ringShift, type RingShiftShape } from './ringShift.ts';
import { rowStream, type RowStreamShape } from './rowStream.ts';
import { spmmProgram, type SpmmValues } from './spmm/program.ts';

export interface SpmmCase extends SpmmShape {
  readonly kernel: 'spmm';
}

const spmm: Kernel<SpmmCase, SpmmValues> = {
  rows: 'shifted',
  program: (shape, _machine, values) => spmmProgram(shape, values),
};

export interface ShapeOf {
  readonly affine: AffineShape;
  readonly attentionDelta: AttentionDeltaShape;
  readonly attentionGather: AttentionGatherShape;
  readonly attentionGatherBoth: AttentionGatherBothShape;
  readonly attentionGradients: AttentionGradientsShape;
  readonly attentionNormalise: AttentionNormaliseShape;
  readonly attentionScores: AttentionScoresShape;
  readonly attentionSoftmax: AttentionSoftmaxShape;
  readonly attentionSoftmaxBackward: AttentionSoftmaxBackwardShape;
  readonly attentionValues: AttentionValuesShape;
  readonly broadcast: BroadcastShape;
  readonly chainReduce: ChainReduceShape;
  readonly columnReduce: ColumnReduceShape;
  readonly layerNorm: LayerNormShape;
  readonly layerNormBackward: LayerNormBackwardShape;
  readonly local: LocalShape;
  readonly logitGradient: LogitGradientShape;
  readonly logitMerge: LogitMergeShape;
  readonly logitScale: LogitScaleShape;
  readonly logitStats: LogitStatsShape;
  readonly ringShift: RingShiftShape;
  readonly rowStream: RowStreamShape;
  readonly spmm: SpmmCase;
}

export type KernelName = keyof ShapeOf;

export type KernelShape = ShapeOf[KernelName];

export const kernels = {
  affine,
  attentionDelta,
  attentionGather,
  attentionGatherBoth,
  attentionGradients,
  attentionNormalise,
  attentionScores,
  attentionSoftmax,
  attentionSoftmaxBackward,
  attentionValues,
  broadcast,
  chainReduce,
  columnReduce,
  layerNorm,
  layerNormBackward,
  local,
  logitGradient,
  logitMerge,
  logitScale,
  logitStats,
  ringShift,
  rowStream,
  spmm,
} as const;

/** The kernels seen from timing: a shape and a machine give a program. */
type Timed = {
  readonly [Name in KernelName]: Pick<Kernel<ShapeOf[Name]>, 'rows'> & {
    program(shape: ShapeOf[Name], machine: Machine): FabricProgram;
  };
};

const timed: Timed = kernels;

/** The program of any shape, without values. */
export function timingProgram<Name extends KernelName>(
  shape: ShapeOf[Name] & { readonly kernel: Name },
  machine: Machine,
): FabricProgram {
  return timed[shape.kernel].program(shape, machine);
}
