// All columns of a head come to hold all of its probabilities: the segments go round the ring of the head's columns, each
// with the alphas of its queries behind it. In round k position p sends the segment of position p - k and receives that
// of p - 1 - k.
//
// Memory of a PE, in 32-bit words, each holding one value: tile [keys][T] and alpha [T], fp16, two a wavelet.

import { highHalf, lowHalf, packPair } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import { burstLength, exchange, ringColors } from '../bursts.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { HEAD_RING, headCores, type HeadMesh, headRoutes } from './mesh.ts';
import { firstQuery, segmentElements, segmentQueries, segmentWords, type Tile } from './tile.ts';

export interface AttentionGatherShape extends Tile, HeadMesh {
  readonly kernel: 'attentionGather';
}

export interface AttentionGatherValues extends ValueMemory {
  readonly at: { readonly tile: number; readonly alpha: number };
}

export const attentionGather: Kernel<AttentionGatherShape, AttentionGatherValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const burst = burstLength(machine);
    const wavelets = Array.from({ length: shape.headCols }, (_, n) => segmentWavelets(shape, n));
    return singleThreadProgram(
      {
        name: 'attentionGather',
        width: shape.cols,
        height: shape.rows,
        routes: headRoutes(shape),
        cores: headCores(shape, (p) => gatherRounds(p, wavelets, burst, 0)),
        code: values === undefined ? [] : gatherCode(segmentsWithAlphas(shape, values.at)),
      },
      values,
    );
  },
};

export function gatherSlots(shape: AttentionGatherShape): number {
  return slotsOfRounds(Array.from({ length: shape.headCols }, (_, n) => segmentWavelets(shape, n)));
}

/** Of the busiest core: position p sends all segments but that of p + 1, and receives all but its own. */
export function slotsOfRounds(wavelets: readonly number[]): number {
  const size = wavelets.length;
  if (size === 1) return 0;
  const all = wavelets.reduce((sum, each) => sum + each, 0);
  const least = Math.min(...wavelets.map((own, p) => own + wavelets[(p + 1) % size]));
  return 2 * all - least;
}

/** Of the shortest segment. */
export function fewestWavelets(shape: AttentionGatherShape): number {
  return Math.min(...Array.from({ length: shape.headCols }, (_, n) => segmentWavelets(shape, n)));
}

function segmentWavelets(shape: AttentionGatherShape, n: number): number {
  const alphas = segmentQueries(shape, n, firstQuery(shape, shape.firstKey));
  return Math.ceil((segmentElements(shape, n) + alphas) / 2);
}

function segmentsWithAlphas(shape: AttentionGatherShape, at: AttentionGatherValues['at']): number[][] {
  const { headCols, tokens, firstKey } = shape;
  return Array.from({ length: headCols }, (_, n) => {
    const words = segmentWords(shape, n).map((word) => at.tile + word);
    for (let i = n; i < tokens; i += headCols) if (i >= firstQuery(shape, firstKey)) words.push(at.alpha + i);
    return words;
  });
}

/** The rounds of ring position p, segment n being `wavelets[n]` long; the code is two entries from `firstCode` on. */
export function* gatherRounds(
  p: number,
  wavelets: readonly number[],
  burst: number,
  firstCode: number,
): Generator<Instruction> {
  const size = wavelets.length;
  if (size === 1) return;
  const longest = Math.max(...wavelets);
  const colors = ringColors(p, size, HEAD_RING);
  for (let round = 0; round < size - 1; round++) {
    const sent = (p - round + size) % size;
    const received = (p - 1 - round + size) % size;
    yield* exchange(
      { wavelets: wavelets[sent], code: firstCode, b: sent },
      { wavelets: wavelets[received], code: firstCode + 1, b: received },
      longest,
      burst,
      colors,
    );
  }
}

/** Sends and receives segment b, whose values lie at the words `segments[b]` in this order. */
export function gatherCode(segments: readonly (readonly number[])[]): PeCode[] {
  const send: PeCode = (memory, base, { a, b, slot }) => {
    const [low, high] = [segments[b][2 * (a + slot)], segments[b].at(2 * (a + slot) + 1)];
    return packPair(memory[base + low], high === undefined ? 0 : memory[base + high]);
  };
  const receive: PeCode = (memory, base, { a, b, slot }, wavelet) => {
    const [low, high] = [segments[b][2 * (a + slot)], segments[b].at(2 * (a + slot) + 1)];
    memory[base + low] = lowHalf(wavelet);
    if (high !== undefined) memory[base + high] = highHalf(wavelet);
    return 0;
  };
  return [send, receive];
}
