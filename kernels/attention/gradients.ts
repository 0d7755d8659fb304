// What a tile adds to the gradients, local: each column has all of the head's probabilities (or their gradients) and works
// on its own features.
//   of 'values'  dV += P^T dO
//   of 'scores'  dK += dS^T Q, and dQ += dS K
// What belongs to keys is a vector along the tile's keys for each query and feature, dQ one along the queries for each key.
//
// Memory of a PE, in 32-bit words, each holding one fp16 value:
//   tile [heads][keys][T], P or dS; all else [heads][F][T]: queries (Q, or dO for 'values'), byKeys (dK, or dV);
//   for 'scores' also keys (K) and byQueries (dQ)

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { headCores, type HeadMesh } from './mesh.ts';
import { firstQuery, type Tile, tileWord, vectorSlots } from './tile.ts';

export interface AttentionGradientsShape extends Tile, HeadMesh {
  readonly kernel: 'attentionGradients';
  readonly of: 'values' | 'scores';
  /** Of a head on a column. */
  readonly features: number;
}

export interface AttentionGradientsValues extends ValueMemory {
  readonly at: Record<'tile' | 'queries' | 'keys' | 'byKeys' | 'byQueries', number>;
}

export const attentionGradients: Kernel<AttentionGradientsShape, AttentionGradientsValues> = {
  rows: 'same',
  program(shape, machine, values) {
    return singleThreadProgram(
      {
        name: 'attentionGradients',
        width: shape.cols,
        height: shape.rows,
        cores: headCores(shape, () => [{ slots: gradientSlots(shape, machine), code: 0 }]),
        code: values === undefined ? [] : [accumulate(shape, values.at)],
      },
      values,
    );
  },
};

/** Of every core. */
export function gradientSlots(shape: AttentionGradientsShape, { core }: Machine): number {
  const byQueries = shape.of === 'scores' ? vectorSlots(shape, core.simdFp16) : 0;
  return shape.headsPerColumn * shape.features * (keyVectorSlots(shape, core.simdFp16) + byQueries);
}

/** Slots of one instruction a query, each over the keys of the tile that it meets. */
function keyVectorSlots(tile: Tile, simd: number): number {
  let slots = 0;
  for (let i = 0; i < tile.tokens; i++) slots += Math.ceil(keysMet(tile, i) / simd);
  return slots;
}

/** Keys of the tile that query i meets. */
function keysMet({ causal, firstKey, keys }: Tile, i: number): number {
  return causal ? Math.min(keys, Math.max(0, i + 1 - firstKey)) : keys;
}

function accumulate(shape: AttentionGradientsShape, at: AttentionGradientsValues['at']): PeCode {
  const { headsPerColumn, features: F, tokens: T, firstKey, keys, of } = shape;
  return (memory, base) => {
    const add = (to: number, weight: number, value: number): void => {
      memory[to] = fp16(memory[to] + fp16(weight * value));
    };
    for (let f = 0; f < headsPerColumn * F; f++) {
      const vector = base + f * T;
      for (let key = firstKey; key < firstKey + keys; key++)
        for (let i = firstQuery(shape, key); i < T; i++) {
          const weight = memory[base + at.tile + tileWord(shape, Math.floor(f / F), key, i)];
          add(vector + at.byKeys + key, weight, memory[vector + at.queries + i]);
          if (of === 'scores') add(vector + at.byQueries + i, weight, memory[vector + at.keys + key]);
        }
    }
    return 0;
  };
}
