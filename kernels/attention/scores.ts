// Scores of a tile, Q K^T: each column multiplies its own features of queries and keys, then the partial sums are reduced
// round the ring of the head's columns (segmentReduce.ts).
//
// Memory of a PE, in 32-bit words, each holding one value:
//   queries [heads][F][T] and keys [heads][F][T], fp16
//   tile    [heads][keys][T] partial sums; position n ends with the scores of segment n there, in fp16

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { headCores, type HeadMesh, headRoutes } from './mesh.ts';
import { type Accumulate, segmentReduce, segmentReduceCode, sumWavelets } from './segmentReduce.ts';
import { firstQuery, segmentElements, segmentWords, type Tile, tileWord, vectorSlots } from './tile.ts';

export interface AttentionScoresShape extends Tile, HeadMesh {
  readonly kernel: 'attentionScores';
  /** Of a head on a column. */
  readonly features: number;
  /** Format of partial sums: fp16 goes two a wavelet, fp32 one. */
  readonly accumulate: Accumulate;
}

export interface AttentionScoresValues extends ValueMemory {
  readonly at: { readonly queries: number; readonly keys: number; readonly tile: number };
}

const MULTIPLY = 0;
const REDUCE = 1;

export const attentionScores: Kernel<AttentionScoresShape, AttentionScoresValues> = {
  rows: 'same',
  program(shape, machine, values) {
    return singleThreadProgram(
      {
        name: 'attentionScores',
        width: shape.cols,
        height: shape.rows,
        routes: headRoutes(shape),
        cores: headCores(shape, (p) => positionThread(shape, machine, p)),
        code: values === undefined ? [] : peCode(shape, values),
      },
      values,
    );
  },
};

/** Of every core. */
export function scoreSlots(shape: AttentionScoresShape, machine: Machine): number {
  let slots = multiplySlots(shape, machine);
  if (shape.headCols > 1) for (const wavelets of sumsOf(shape)) slots += wavelets;
  return slots;
}

function multiplySlots(shape: AttentionScoresShape, { core }: Machine): number {
  const { headsPerColumn, features, accumulate } = shape;
  return headsPerColumn * features * vectorSlots(shape, accumulate === 'fp16' ? core.simdFp16 : core.simdFp16ToFp32);
}

/** Wavelets of the partial sums of each segment. */
function sumsOf(shape: AttentionScoresShape): number[] {
  return Array.from({ length: shape.headCols }, (_, n) => sumWavelets(segmentElements(shape, n), shape.accumulate));
}

function* positionThread(shape: AttentionScoresShape, machine: Machine, p: number): Generator<Instruction> {
  yield { slots: multiplySlots(shape, machine), code: MULTIPLY };
  yield* segmentReduce(p, sumsOf(shape), REDUCE);
}

function peCode(shape: AttentionScoresShape, { at }: AttentionScoresValues): PeCode[] {
  const words = Array.from({ length: shape.headCols }, (_, n) => segmentWords(shape, n).map((word) => at.tile + word));
  return [multiply(shape, at), ...segmentReduceCode(words, shape.accumulate)];
}

function multiply(shape: AttentionScoresShape, at: AttentionScoresValues['at']): PeCode {
  const { headCols, headsPerColumn, features: F, tokens: T, firstKey, keys, accumulate } = shape;
  const round = accumulate === 'fp16' ? fp16 : Math.fround;
  const last = headCols === 1 ? fp16 : round;
  return (memory, base) => {
    for (let h = 0; h < headsPerColumn; h++)
      for (let key = firstKey; key < firstKey + keys; key++)
        for (let i = firstQuery(shape, key); i < T; i++) {
          let sum = 0;
          for (let f = h * F; f < (h + 1) * F; f++) {
            const product = memory[base + at.queries + f * T + i] * memory[base + at.keys + f * T + key];
            sum = round(sum + round(product));
          }
          memory[base + at.tile + tileWord(shape, h, key, i)] = last(sum);
        }
    return 0;
  };
}
