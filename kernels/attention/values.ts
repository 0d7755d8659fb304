// What a tile adds to the output, P V: each column shrinks its features of the output by alpha and adds the values of the
// tile's keys, weighted by their probabilities. Nothing goes over the fabric.
//
// Memory of a PE, in 32-bit words, each holding one fp16 value:
//   values [heads][F][T], output [heads][F][T], tile [heads][keys][T], alpha [heads][T]

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { headCores, type HeadMesh } from './mesh.ts';
import { firstQuery, type Tile, tileWord, vectorSlots } from './tile.ts';

export interface AttentionValuesShape extends Tile, HeadMesh {
  readonly kernel: 'attentionValues';
  /** Of a head on a column. */
  readonly features: number;
}

export interface AttentionValuesValues extends ValueMemory {
  readonly at: { readonly values: number; readonly output: number; readonly tile: number; readonly alpha: number };
}

export const attentionValues: Kernel<AttentionValuesShape, AttentionValuesValues> = {
  rows: 'same',
  program(shape, machine, values) {
    return singleThreadProgram(
      {
        name: 'attentionValues',
        width: shape.cols,
        height: shape.rows,
        cores: headCores(shape, () => [{ slots: valueSlots(shape, machine), code: 0 }]),
        code: values === undefined ? [] : [accumulate(shape, values.at)],
      },
      values,
    );
  },
};

/** Of every core. */
export function valueSlots(shape: AttentionValuesShape, { core }: Machine): number {
  const queries = shape.tokens - firstQuery(shape, shape.firstKey);
  const perFeature = Math.ceil(queries / core.simdFp16) + vectorSlots(shape, core.simdFp16);
  return shape.headsPerColumn * shape.features * perFeature;
}

function accumulate(shape: AttentionValuesShape, at: AttentionValuesValues['at']): PeCode {
  const { headsPerColumn, features: F, tokens: T, firstKey, keys } = shape;
  return (memory, base) => {
    for (let f = 0; f < headsPerColumn * F; f++) {
      const h = Math.floor(f / F);
      const output = base + at.output + f * T;
      for (let i = firstQuery(shape, firstKey); i < T; i++)
        memory[output + i] = fp16(memory[output + i] * memory[base + at.alpha + h * T + i]);
      for (let key = firstKey; key < firstKey + keys; key++) {
        const value = memory[base + at.values + f * T + key];
        for (let i = firstQuery(shape, key); i < T; i++) {
          const product = fp16(value * memory[base + at.tile + tileWord(shape, h, key, i)]);
          memory[output + i] = fp16(memory[output + i] + product);
        }
      }
    }
    return 0;
  };
}
