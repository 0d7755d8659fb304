// The end of attention: each column takes the reciprocals of its segment's sums, they go round the ring of the head's
// columns as the probabilities do, and every column scales its features of the output.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   sum [heads][S] fp32, as the softmax left it; inverse [heads][T] fp16; output [heads][F][T] fp16

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import { burstLength } from '../bursts.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { gatherCode, gatherRounds } from './gather.ts';
import { headCores, type HeadMesh, headRoutes } from './mesh.ts';

export interface AttentionNormaliseShape extends HeadMesh {
  readonly kernel: 'attentionNormalise';
  readonly headsPerColumn: number;
  /** Of a head on a column. */
  readonly features: number;
  readonly tokens: number;
}

export interface AttentionNormaliseValues extends ValueMemory {
  readonly at: { readonly sum: number; readonly inverse: number; readonly output: number };
}

const RECIPROCAL = 0;
const GATHER = 1;
const SCALE = 3;

export const attentionNormalise: Kernel<AttentionNormaliseShape, AttentionNormaliseValues> = {
  rows: 'same',
  program(shape, machine, values) {
    return singleThreadProgram(
      {
        name: 'attentionNormalise',
        width: shape.cols,
        height: shape.rows,
        routes: headRoutes(shape),
        cores: headCores(shape, (p) => positionThread(shape, machine, p)),
        code: values === undefined ? [] : peCode(shape, values.at),
      },
      values,
    );
  },
};

/** Queries of segment n, in order. */
function queriesOf({ headCols, tokens }: AttentionNormaliseShape, n: number): number[] {
  return Array.from({ length: Math.ceil((tokens - n) / headCols) }, (_, k) => n + k * headCols);
}

function* positionThread(shape: AttentionNormaliseShape, machine: Machine, p: number): Generator<Instruction> {
  const { headCols, headsPerColumn, features, tokens } = shape;
  const { core } = machine;
  const queries = Array.from({ length: headCols }, (_, n) => queriesOf(shape, n).length);
  const reciprocals = headsPerColumn * core.reciprocalOps * Math.ceil(queries[p] / core.simdFp32);
  yield { slots: reciprocals, code: RECIPROCAL, a: p };
  const wavelets = queries.map((count) => Math.ceil(count / 2));
  yield* gatherRounds(p, wavelets, burstLength(machine), GATHER);
  yield { slots: headsPerColumn * features * Math.ceil(tokens / core.simdFp16), code: SCALE };
}

function peCode(shape: AttentionNormaliseShape, at: AttentionNormaliseValues['at']): PeCode[] {
  const { headCols, headsPerColumn, features: F, tokens: T } = shape;
  const kept = Math.ceil(T / headCols);
  const segments = Array.from({ length: headCols }, (_, n) => queriesOf(shape, n));
  const reciprocal: PeCode = (memory, base, { a: n }) => {
    for (let h = 0; h < headsPerColumn; h++)
      segments[n].forEach((i, k) => {
        memory[base + at.inverse + h * T + i] = fp16(1 / memory[base + at.sum + h * kept + k]);
      });
    return 0;
  };
  const scale: PeCode = (memory, base) => {
    for (let f = 0; f < headsPerColumn * F; f++)
      for (let i = 0; i < T; i++) {
        const inverse = memory[base + at.inverse + Math.floor(f / F) * T + i];
        memory[base + at.output + f * T + i] = fp16(memory[base + at.output + f * T + i] * inverse);
      }
    return 0;
  };
  return [reciprocal, ...gatherCode(segments.map((queries) => queries.map((i) => at.inverse + i))), scale];
}
