// No kernel of one thread a core depends on arbitration: with the order of its colors reversed, every slot of every PE
// stays where it was. The fast engine, which has no arbiter, relies on it.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Latencies, Machine } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { AT_INPUT, AT_OUTPUT, AT_TRIGGER, INSTRUCTION_WORDS, NONE } from '../../emulator/program/instruction.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { attentionBackwardSteps } from '../../kernels/attention/backwardSteps.ts';
import { attentionSteps } from '../../kernels/attention/steps.ts';
import { type KernelShape, timingProgram } from '../../kernels/index.ts';
import { attentionCases, backwardShapes } from './backwardShapes.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const LAST_COLOR = 23;

function flip<Part extends { readonly color: number }>(part: Part): Part {
  return { ...part, color: LAST_COLOR - part.color };
}

function reversed(program: FabricProgram): FabricProgram {
  const threads = new Map<Int32Array, Int32Array>();
  const flipThread = (words: Int32Array): Int32Array => {
    const flipped = threads.get(words) ?? words.slice();
    if (!threads.has(words))
      for (let i = 0; i < words.length; i += INSTRUCTION_WORDS)
        for (const at of [AT_TRIGGER, AT_INPUT, AT_OUTPUT])
          if (flipped[i + at] !== NONE) flipped[i + at] = LAST_COLOR - flipped[i + at];
    threads.set(words, flipped);
    return flipped;
  };
  return {
    ...program,
    routes: program.routes.map(flip),
    streams: program.streams.map(flip),
    edgeColors: program.edgeColors.map((color) => LAST_COLOR - color),
    cores: program.cores.map((core) => ({ threads: core.threads.map(flipThread) })),
  };
}

const size = fc.integer({ min: 1, max: 9 });
const gap = fc.constantFrom<readonly [number, number]>([1, 1], [7, 5]);

const shapes: fc.Arbitrary<KernelShape> = fc.oneof(
  fc.record({ kernel: fc.constant('chainReduce' as const), width: size, wavelets: size }),
  fc.record({ kernel: fc.constant('broadcast' as const), width: size, wavelets: size }),
  fc.record({ kernel: fc.constant('affine' as const), rows: size, cols: size, features: size, tokens: size, gap }),
  fc.record({ kernel: fc.constant('logitMerge' as const), rows: size, cols: size, tokens: size }),
  fc.record({
    kernel: fc.constant('layerNorm' as const),
    rows: size,
    cols: size,
    width: fc.constant(9),
    features: fc.constant(9),
    tokens: size,
    kind: fc.constantFrom('layernorm' as const, 'rmsnorm' as const),
  }),
  fc.record({
    kernel: fc.constant('rowStream' as const),
    rows: size,
    cols: size,
    tokens: size,
    perToken: size,
    total: fc.integer({ min: 1, max: 200 }),
    order: fc.constant({ by: 'positions' as const, rowsPerSequence: 3 }),
    gap,
  }),
);

function expectNoArbitration(shape: KernelShape, used: Machine, latencies: Latencies): void {
  const program = timingProgram(shape, used);
  expect(program.cores.every(({ threads }) => threads.length === 1)).toBe(true);
  const run = runStepped(program, latencies);
  const other = runStepped(reversed(program), latencies);
  expect(other.cycles).toBe(run.cycles);
  expect(other.where).toEqual(run.where);
}

const latencies = fc.oneof(anyLatencies, fc.constant(smallestQueues));

test('rows, chains and streams', () => {
  fc.assert(
    fc.property(fc.oneof(shapes, backwardShapes), latencies, (shape, latencies) =>
      expectNoArbitration(shape, machine, latencies),
    ),
    { seed: 14, numRuns: 400 },
  );
});

test('attention', () => {
  fc.assert(
    fc.property(attentionCases, latencies, (attention, latencies) => {
      const { inputQueue, outputQueue } = latencies;
      const used = { ...machine, core: { ...machine.core, inputQueue, outputQueue } };
      const steps = [...attentionSteps(attention, used), ...attentionBackwardSteps(attention, used)];
      for (const { shape } of steps) expectNoArbitration(shape, used, latencies);
    }),
    { seed: 15, numRuns: 100 },
  );
});
