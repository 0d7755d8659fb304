// Softmax of a tile as it comes, key block by key block (online): the running maximum and sum of each query are kept, the
// scores become exp(score - maximum), and alpha = exp(old maximum - new maximum) says how what was summed before shrinks.
// Each column works on its own segment; nothing goes over the fabric.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   tile    [heads][keys][T] fp16; the own segment's scores become probabilities, not yet divided by their sum
//   alpha   [heads][T] fp16; the own segment's
//   maximum [heads][S] fp16 and sum [heads][S] fp32, S = ceil(T / columns), query i at floor(i / columns)

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { keyRow } from './layout.ts';
import { type HeadMesh, placeCores } from './mesh.ts';
import { firstQuery, segmentQueries, sumOverKeys, type Tile, tileWord } from './tile.ts';

export interface AttentionSoftmaxShape extends Tile, HeadMesh {
  readonly kernel: 'attentionSoftmax';
}

export interface AttentionSoftmaxValues extends ValueMemory {
  readonly at: { readonly tile: number; readonly alpha: number; readonly maximum: number; readonly sum: number };
  /** Which key block is at hand: that of the ring position `rotation` before the row's own. */
  readonly rotation: number;
  readonly rowsPerSequence: number;
}

export const attentionSoftmax: Kernel<AttentionSoftmaxShape, AttentionSoftmaxValues> = {
  rows: 'same',
  program(shape, machine, values) {
    // Operand b: is query i to be masked from key i? That depends on the row; the slots do not.
    const cores = [0, 1].map((masked) =>
      Array.from({ length: shape.headCols }, (_, p) => ({ threads: [thread([segment(shape, machine, p, masked)])] })),
    );
    return singleThreadProgram(
      {
        name: 'attentionSoftmax',
        width: shape.cols,
        height: shape.rows,
        cores: placeCores(shape, (p, y) => cores[values !== undefined && keysAreLater(shape, values, y) ? 1 : 0][p]),
        code: values === undefined ? [] : [online(shape, values)],
      },
      values,
    );
  },
};

/** Do the keys at hand at a rotation belong to a row that comes later in the sequence than row y of the mesh? */
export function keysAreLater(
  { causal }: Tile,
  { rotation, rowsPerSequence }: { readonly rotation: number; readonly rowsPerSequence: number },
  y: number,
): boolean {
  const row = y % rowsPerSequence;
  return causal && keyRow(row, rotation, rowsPerSequence) > row;
}

/** Of segment n; no segment has more than the first. */
export function softmaxSlots(shape: AttentionSoftmaxShape, { core }: Machine, n: number): number {
  const { headsPerColumn, firstKey } = shape;
  const perKey = sumOverKeys(shape, (_queries, key) => {
    const queries = segmentQueries(shape, n, firstQuery(shape, key));
    return Math.ceil(queries / core.simdFp16) * (1 + 1 + core.expOps) + Math.ceil(queries / core.simdFp32Add);
  });
  const queries = segmentQueries(shape, n, firstQuery(shape, firstKey));
  const rescale = Math.ceil(queries / core.simdFp16) * (1 + core.expOps) + Math.ceil(queries / core.simdFp32);
  return headsPerColumn * (perKey + rescale);
}

function segment(shape: AttentionSoftmaxShape, machine: Machine, n: number, masked: number): Instruction {
  return { slots: softmaxSlots(shape, machine, n), code: 0, a: n, b: masked };
}

function online(shape: AttentionSoftmaxShape, { at }: AttentionSoftmaxValues): PeCode {
  const { headCols, headsPerColumn, tokens: T, firstKey, keys, causal } = shape;
  const kept = Math.ceil(T / headCols);
  return (memory, base, { a: n, b: masked }) => {
    for (let h = 0; h < headsPerColumn; h++)
      for (let i = n; i < T; i += headCols) {
        const end = causal ? Math.min(firstKey + keys, i + 1) : firstKey + keys;
        if (end <= firstKey) continue;
        const own = h * kept + Math.floor(i / headCols);
        const before = memory[base + at.maximum + own];
        let maximum = before;
        for (let key = firstKey; key < end; key++) {
          const word = base + at.tile + tileWord(shape, h, key, i);
          if (masked === 1 && key === i) memory[word] = -Infinity;
          maximum = Math.max(maximum, memory[word]);
        }
        let sum = 0;
        for (let key = firstKey; key < end; key++) {
          const word = base + at.tile + tileWord(shape, h, key, i);
          memory[word] = fp16(Math.exp(fp16(memory[word] - maximum)));
          sum = Math.fround(sum + memory[word]);
        }
        const alpha = fp16(Math.exp(fp16(before - maximum)));
        memory[base + at.alpha + h * T + i] = alpha;
        memory[base + at.maximum + own] = maximum;
        memory[base + at.sum + own] = Math.fround(memory[base + at.sum + own] * alpha) + sum;
      }
    return 0;
  };
}
