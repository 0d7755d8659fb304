// All columns of a head come to hold all probabilities of a tile and their gradients by the scores: the segments go round the
// ring of the head's columns as in gather.ts, one wavelet an element, the probability in the low half.
//
// Memory of a PE, in 32-bit words, each holding one fp16 value: tile and gradients [keys][T].

import type { Kernel, ValueMemory } from '../kernel.ts';
import { burstLength } from '../bursts.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { gatherCode, gatherRounds, slotsOfRounds } from './gather.ts';
import { headCores, type HeadMesh, headRoutes } from './mesh.ts';
import { segmentElements, segmentWords, type Tile } from './tile.ts';

export interface AttentionGatherBothShape extends Tile, HeadMesh {
  readonly kernel: 'attentionGatherBoth';
}

export interface AttentionGatherBothValues extends ValueMemory {
  readonly at: { readonly tile: number; readonly gradients: number };
}

export const attentionGatherBoth: Kernel<AttentionGatherBothShape, AttentionGatherBothValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const burst = burstLength(machine);
    const wavelets = segmentWavelets(shape);
    return singleThreadProgram(
      {
        name: 'attentionGatherBoth',
        width: shape.cols,
        height: shape.rows,
        routes: headRoutes(shape),
        cores: headCores(shape, (p) => gatherRounds(p, wavelets, burst, 0)),
        code: values === undefined ? [] : gatherCode(segmentsOf(shape, values.at)),
      },
      values,
    );
  },
};

/** Of the busiest core. */
export function gatherBothSlots(shape: AttentionGatherBothShape): number {
  return slotsOfRounds(segmentWavelets(shape));
}

function segmentWavelets(shape: AttentionGatherBothShape): number[] {
  return Array.from({ length: shape.headCols }, (_, n) => segmentElements(shape, n));
}

function segmentsOf(shape: AttentionGatherBothShape, at: AttentionGatherBothValues['at']): number[][] {
  return Array.from({ length: shape.headCols }, (_, n) =>
    segmentWords(shape, n).flatMap((word) => [at.tile + word, at.gradients + word]),
  );
}
