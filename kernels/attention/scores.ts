// Scores of a tile, Q K^T: each column multiplies its own features of queries and keys, then the partial sums are reduced
// round the ring of the head's columns as in the sparse matmul: segment n starts at ring position n + 1, which only
// sends, and ends at position n, which adds and keeps.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   queries [heads][F][T] and keys [heads][F][T], fp16
//   tile    [heads][keys][T] partial sums; position n ends with the scores of segment n there, in fp16

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16, highHalf, lowHalf, packPair, packSingle, single } from '../../emulator/numerics/fp16.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import { ringColors } from '../bursts.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { HEAD_RING, headCores, type HeadMesh, headRoutes } from './mesh.ts';
import { firstQuery, segmentElements, segmentWords, type Tile, tileWord, vectorSlots } from './tile.ts';

export interface AttentionScoresShape extends Tile, HeadMesh {
  readonly kernel: 'attentionScores';
  /** Of a head on a column. */
  readonly features: number;
  /** Format of partial sums: fp16 goes two a wavelet, fp32 one. */
  readonly accumulate: 'fp16' | 'fp32';
}

export interface AttentionScoresValues extends ValueMemory {
  readonly at: { readonly queries: number; readonly keys: number; readonly tile: number };
}

const MULTIPLY = 0;
const SEND = 1;
const FORWARD = 2;
const KEEP = 3;

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
  if (shape.headCols > 1) for (let n = 0; n < shape.headCols; n++) slots += sumSlots(shape, n);
  return slots;
}

function multiplySlots(shape: AttentionScoresShape, { core }: Machine): number {
  const { headsPerColumn, features, accumulate } = shape;
  return headsPerColumn * features * vectorSlots(shape, accumulate === 'fp16' ? core.simdFp16 : core.simdFp16ToFp32);
}

/** Wavelets of the partial sums of segment n. */
function sumSlots(shape: AttentionScoresShape, n: number): number {
  const elements = segmentElements(shape, n);
  return shape.accumulate === 'fp16' ? Math.ceil(elements / 2) : elements;
}

function* positionThread(shape: AttentionScoresShape, machine: Machine, p: number): Generator<Instruction> {
  const { headCols } = shape;
  yield { slots: multiplySlots(shape, machine), code: MULTIPLY };
  if (headCols === 1) return;
  const { input, output } = ringColors(p, headCols, HEAD_RING);
  for (let n = 0; n < headCols; n++) {
    const common = { slots: sumSlots(shape, n), cause: CAUSE.reduce, a: n };
    if (p === n) yield { ...common, input, code: KEEP };
    else if (p === (n + 1) % headCols) yield { ...common, output, code: SEND };
    else yield { ...common, input, output, code: FORWARD };
  }
}

function peCode(shape: AttentionScoresShape, { at }: AttentionScoresValues): PeCode[] {
  const { headCols } = shape;
  const half = shape.accumulate === 'fp16';
  const words = Array.from({ length: headCols }, (_, n) => segmentWords(shape, n).map((word) => at.tile + word));

  const forward: PeCode = (memory, base, { a: n, slot }, wavelet) => {
    if (!half) return packSingle(Math.fround(memory[base + words[n][slot]] + single(wavelet)));
    const [low, high] = [words[n][2 * slot], words[n].at(2 * slot + 1)];
    const sum = memory[base + low] + lowHalf(wavelet);
    return packPair(sum, high === undefined ? 0 : memory[base + high] + highHalf(wavelet));
  };
  const send: PeCode = (memory, base, args) => forward(memory, base, args, 0);
  const keep: PeCode = (memory, base, args, wavelet) => {
    const { a: n, slot } = args;
    const sum = forward(memory, base, args, wavelet);
    if (!half) {
      memory[base + words[n][slot]] = fp16(single(sum));
      return 0;
    }
    const high = words[n].at(2 * slot + 1);
    memory[base + words[n][2 * slot]] = lowHalf(sum);
    if (high !== undefined) memory[base + high] = highHalf(sum);
    return 0;
  };
  return [multiply(shape, at), send, forward, keep];
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
