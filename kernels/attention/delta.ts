// The mean that the gradient of a softmax takes off, one for each query: D = sum over the head's features of dO * O, which is
// sum over the keys of P * dP, but needs no tile. Each column multiplies its own features, then the partial sums are
// reduced round the ring of the head's columns (segmentReduce.ts).
//
// Memory of a PE, in 32-bit words, each holding one value:
//   gradient, output [heads][F][T], fp16: dO and O
//   delta [heads][T] partial sums; position n ends with those of segment n, the queries i with i mod columns = n, in fp16

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { Instruction } from '../../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from '../kernel.ts';
import { singleThreadProgram } from '../singleThread.ts';
import { headCores, type HeadMesh, headRoutes } from './mesh.ts';
import { type Accumulate, segmentReduce, segmentReduceCode, sumWavelets } from './segmentReduce.ts';

export interface AttentionDeltaShape extends HeadMesh {
  readonly kernel: 'attentionDelta';
  readonly headsPerColumn: number;
  /** Of a head on a column. */
  readonly features: number;
  readonly tokens: number;
  readonly accumulate: Accumulate;
}

export interface AttentionDeltaValues extends ValueMemory {
  readonly at: { readonly gradient: number; readonly output: number; readonly delta: number };
}

const MULTIPLY = 0;
const REDUCE = 1;

export const attentionDelta: Kernel<AttentionDeltaShape, AttentionDeltaValues> = {
  rows: 'same',
  program(shape, machine, values) {
    return singleThreadProgram(
      {
        name: 'attentionDelta',
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

/** Queries of each segment; of one head, since a head of many columns is alone on them. */
function segmentsOf({ headCols, tokens }: AttentionDeltaShape): number[][] {
  return Array.from({ length: headCols }, (_, n) =>
    Array.from({ length: Math.ceil((tokens - n) / headCols) }, (_, k) => n + k * headCols),
  );
}

function* positionThread(shape: AttentionDeltaShape, { core }: Machine, p: number): Generator<Instruction> {
  const { headsPerColumn, features, tokens, accumulate } = shape;
  const simd = accumulate === 'fp16' ? core.simdFp16 : core.simdFp16ToFp32;
  yield { slots: headsPerColumn * features * Math.ceil(tokens / simd), code: MULTIPLY };
  const wavelets = segmentsOf(shape).map(({ length }) => sumWavelets(length, accumulate));
  yield* segmentReduce(p, wavelets, REDUCE);
}

function peCode(shape: AttentionDeltaShape, at: AttentionDeltaValues['at']): PeCode[] {
  const { headCols, headsPerColumn, features: F, tokens: T, accumulate } = shape;
  const round = accumulate === 'fp16' ? fp16 : Math.fround;
  const last = headCols === 1 ? fp16 : round;
  const multiply: PeCode = (memory, base) => {
    for (let h = 0; h < headsPerColumn; h++)
      for (let i = 0; i < T; i++) {
        let sum = 0;
        for (let f = h * F; f < (h + 1) * F; f++)
          sum = round(sum + round(memory[base + at.gradient + f * T + i] * memory[base + at.output + f * T + i]));
        memory[base + at.delta + h * T + i] = last(sum);
      }
    return 0;
  };
  const segments = segmentsOf(shape).map((queries) => queries.map((i) => at.delta + i));
  return [multiply, ...segmentReduceCode(segments, accumulate)];
}
