// The kernels of the backward pass by time stamps against the stepped engine, and the lists that operators are made of.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Latencies, latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { runDataflow } from '../../emulator/streamed/dataflow.ts';
import { attentionBackwardSteps } from '../../kernels/attention/backwardSteps.ts';
import {
  activationBackward,
  biasBackward,
  embeddingBackward,
  lossBackward,
  lossStart,
  normBackward,
  residualBackward,
  type WaferExtent,
} from '../../kernels/backwardSteps.ts';
import { broadcast } from '../../kernels/broadcast.ts';
import { columnReduceTime } from '../../kernels/columnReduceTime.ts';
import { type KernelShape, timingProgram } from '../../kernels/index.ts';
import { TARGET_WORDS, targetPlace } from '../../kernels/logitGradient.ts';
import { rowStream, tableWavelets } from '../../kernels/rowStream.ts';
import { attentionCases, backwardShapes } from './backwardShapes.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const latencies = fc.oneof(anyLatencies, fc.constant(smallestQueues), fc.constant(latenciesOf(machine)));

function machineWith({ rampLatency, routerBuffer, creditLatency, ...core }: Latencies): Machine {
  const fabric = { ...machine.fabric, rampLatency, routerBuffer, creditLatency };
  return { ...machine, fabric, core: { ...machine.core, ...core } };
}

function expectSame(shape: KernelShape, latencies: Latencies): void {
  const program = timingProgram(shape, machineWith(latencies));
  const stepped = runStepped(program, latencies);
  const streamed = runDataflow(program, latencies);
  expect(streamed?.cycles).toBe(stepped.cycles);
  expect(streamed?.where).toEqual(stepped.where);
}

describe('time stamps are the stepped engine, every cause of every PE', () => {
  test('rows, columns and the loss', () => {
    fc.assert(fc.property(backwardShapes, latencies, expectSame), { seed: 61, numRuns: 300 });
  });

  test('attention', () => {
    fc.assert(
      fc.property(attentionCases, latencies, (attention, latencies) => {
        for (const { shape } of attentionBackwardSteps(attention, machineWith(latencies))) expectSame(shape, latencies);
      }),
      { seed: 62, numRuns: 60 },
    );
  });
});

const extent: WaferExtent = { groups: 3, columns: 20, rows: 12, rowsPerSequence: 4, tokens: 8 };

describe('lists', () => {
  test('a bias is summed on each PE and over the rows, and leaves on all columns of all groups at once', () => {
    const gap = [60, 44];
    expect(biasBackward(7, machine, extent)).toEqual([
      { shape: { kernel: 'local', rows: 1, cols: 1, slots: 7 * 4 }, copies: 'pe' },
      { shape: { kernel: 'columnReduce', rows: 12, cols: 1, wavelets: 7, gap }, copies: 'column' },
    ]);
  });

  test('a norm has the sums of gain and bias, the gain, and the gradient by its input', () => {
    const steps = normBackward({ width: 50, kind: 'layernorm', bias: true }, machine, extent);
    expect(steps.map(({ shape }) => shape.kernel)).toEqual(['local', 'columnReduce', 'affine', 'layerNormBackward']);
    expect(steps[1].shape).toMatchObject({ wavelets: 2 * 3 });
    expect(steps[3].shape).toMatchObject({ cols: 20, width: 50, features: 3, tokens: 8 });
    const [, gain] = normBackward({ width: 50, kind: 'rmsnorm', bias: false }, machine, extent);
    expect(gain.shape).toMatchObject({ wavelets: 3 });
  });

  test('local operators take the slots of one PE', () => {
    const slots = [
      ...activationBackward('gelu', 50, machine, extent),
      ...residualBackward(50, machine, extent),
      ...lossBackward(50, extent),
    ].map(({ shape }) => ({ ...shape }));
    expect(slots).toEqual([
      { kernel: 'local', rows: 1, cols: 1, slots: 3 * 2 * 16 },
      { kernel: 'local', rows: 1, cols: 1, slots: 3 * 2 },
      { kernel: 'logitGradient', rows: 1, cols: 1, features: 3, tokens: 8 },
    ]);
  });

  test('embeddings leave token by token, two features a wavelet, and so do the positions of a sequence', () => {
    const steps = embeddingBackward({ width: 50, learnedPositions: true }, machine, extent);
    expect(steps.map(({ shape }) => shape)).toMatchObject([{ wavelets: 12 * 8 * 2 }, { wavelets: 4 * 8 * 2 }]);
    expect(embeddingBackward({ width: 50, learnedPositions: false }, machine, extent)).toHaveLength(1);
  });

  test('every list runs', () => {
    const steps = [
      ...normBackward({ width: 50, kind: 'layernorm', bias: true }, machine, extent),
      ...embeddingBackward({ width: 50, learnedPositions: true }, machine, extent),
      ...lossStart(machine, extent),
      ...lossBackward(50, extent),
    ];
    for (const { shape } of steps) expectSame(shape, latenciesOf(machine));
  });
});

test('targets come in on the first column and reach all others', () => {
  const [rows, cols, tokens, slice, vocabulary] = [2, 5, 3, 12, 40];
  const target = (y: number, i: number): number => (7 * y + 11 * i + 3) % vocabulary;
  const words = TARGET_WORDS * tokens;
  const [stream, east] = lossStart(machine, { groups: 1, columns: cols, rows, rowsPerSequence: 1, tokens });
  if (stream.shape.kernel !== 'rowStream' || east.shape.kernel !== 'broadcast') throw new Error('other kernels');
  const numbers = (y: number, i: number): number[] => [...targetPlace(target(y, i), slice, cols), (y + i) % 2];
  const wavelets = tableWavelets(
    rows * tokens,
    TARGET_WORDS,
    (t, word) => numbers(Math.floor(t / tokens), t % tokens)[word],
  );
  const incoming = rowStream.program({ ...stream.shape, rows }, machine, {
    words,
    memory: new Float32Array(rows * words),
    at: { output: 0 },
    mode: 'store',
    features: TARGET_WORDS,
    wavelets: [wavelets],
  });
  const column = runStepped(incoming, latenciesOf(machine)).memory;
  for (let y = 0; y < rows; y++) {
    const memory = new Float32Array(cols * words);
    memory.set(column.subarray(y * words, (y + 1) * words));
    const along = broadcast.program(east.shape, machine, { words, memory, at: { words: 0 } });
    const row = runStepped(along, latenciesOf(machine)).memory;
    for (let x = 0; x < cols; x++)
      for (let i = 0; i < tokens; i++)
        expect(numbers(y, i).map((_, word) => row[x * words + word * tokens + i])).toEqual(numbers(y, i));
  }
});

/** GPT-3 XL on 147 columns, 962 rows and 56 tokens a PE: the mapping of the README. */
describe('at full size', () => {
  const full: WaferExtent = { groups: 5, columns: 147, rows: 962, rowsPerSequence: 37, tokens: 56 };
  const attention = {
    heads: 16,
    headDim: 128,
    cols: 147,
    tokens: 56,
    sequence: 2048,
    keyBlock: 8,
    causal: true,
    accumulate: 'fp16',
  } as const;
  const shapes: KernelShape[] = [
    ...normBackward({ width: 2048, kind: 'layernorm', bias: true }, machine, full),
    ...embeddingBackward({ width: 2048, learnedPositions: true }, machine, full),
    ...lossStart(machine, full),
    ...attentionBackwardSteps(attention, machine),
  ].map(({ shape }) => shape);

  test('every kernel has a fast exact time', () => {
    for (const shape of shapes)
      if (shape.kernel === 'columnReduce') expect(columnReduceTime(shape, machine)).toBeDefined();
      else expect(runDataflow(timingProgram(shape, machine), latenciesOf(machine))).toBeDefined();
  });
});
