// The gradient of the softmax of a tile. The probabilities were not kept, they would not fit: they come again from the
// scores, with the maximum and the reciprocal sum that forward ended with. Then dS = P * (dP - D). Each column works on its
// own segment; nothing goes over the fabric.
//
// Memory of a PE, in 32-bit words, each holding one value, fp16, of the own segment:
//   tile      [heads][keys][T] scores; they become the probabilities P
//   gradients [heads][keys][T] dP; they become dS, the gradients by the scores
//   maximum   [heads][S], S = ceil(T / columns), query i at floor(i / columns); inverse [heads][T]; delta [heads][T]

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { type HeadMesh, placeCores } from './mesh.ts';
import { keysAreLater } from './softmax.ts';
import { firstQuery, segmentQueries, sumOverKeys, type Tile, tileWord } from './tile.ts';

export interface AttentionSoftmaxBackwardShape extends Tile, HeadMesh {
  readonly kernel: 'attentionSoftmaxBackward';
}

export interface AttentionSoftmaxBackwardValues extends ValueMemory {
  readonly at: Record<'tile' | 'gradients' | 'maximum' | 'inverse' | 'delta', number>;
  /** Which key block is at hand: that of the ring position `rotation` before the row's own. */
  readonly rotation: number;
  readonly rowsPerSequence: number;
}

export const attentionSoftmaxBackward: Kernel<AttentionSoftmaxBackwardShape, AttentionSoftmaxBackwardValues> = {
  rows: 'same',
  program(shape, machine, values) {
    // Operand b: is query i to be masked from key i? That depends on the row; the slots do not.
    const cores = [0, 1].map((masked) =>
      Array.from({ length: shape.headCols }, (_, p) => ({ threads: [thread([segment(shape, machine, p, masked)])] })),
    );
    return singleThreadProgram(
      {
        name: 'attentionSoftmaxBackward',
        width: shape.cols,
        height: shape.rows,
        cores: placeCores(shape, (p, y) => cores[values !== undefined && keysAreLater(shape, values, y) ? 1 : 0][p]),
        code: values === undefined ? [] : [gradients(shape, values)],
      },
      values,
    );
  },
};

/** A difference, an exponential, a product; a difference and a product. Of segment n; no segment has more than the first. */
export function softmaxBackwardSlots(shape: AttentionSoftmaxBackwardShape, { core }: Machine, n: number): number {
  const vectors = sumOverKeys(shape, (_queries, key) =>
    Math.ceil(segmentQueries(shape, n, firstQuery(shape, key)) / core.simdFp16),
  );
  return shape.headsPerColumn * vectors * (4 + core.expOps);
}

function segment(shape: AttentionSoftmaxBackwardShape, machine: Machine, n: number, masked: number): Instruction {
  return { slots: softmaxBackwardSlots(shape, machine, n), code: 0, a: n, b: masked };
}

function gradients(shape: AttentionSoftmaxBackwardShape, { at }: AttentionSoftmaxBackwardValues): PeCode {
  const { headCols, headsPerColumn, tokens: T, firstKey, keys, causal } = shape;
  const kept = Math.ceil(T / headCols);
  return (memory, base, { a: n, b: masked }) => {
    for (let h = 0; h < headsPerColumn; h++)
      for (let i = n; i < T; i += headCols) {
        const end = causal ? Math.min(firstKey + keys, i + 1) : firstKey + keys;
        const maximum = memory[base + at.maximum + h * kept + Math.floor(i / headCols)];
        const inverse = memory[base + at.inverse + h * T + i];
        const delta = memory[base + at.delta + h * T + i];
        for (let key = firstKey; key < end; key++) {
          const word = tileWord(shape, h, key, i);
          const score = masked === 1 && key === i ? -Infinity : memory[base + at.tile + word];
          const probability = fp16(fp16(Math.exp(fp16(score - maximum))) * inverse);
          memory[base + at.tile + word] = probability;
          memory[base + at.gradients + word] = fp16(probability * fp16(memory[base + at.gradients + word] - delta));
        }
      }
    return 0;
  };
}
