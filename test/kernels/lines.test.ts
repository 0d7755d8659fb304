// chainReduce and broadcast against the vectors of the machine, to the cycle, and by value.

import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { broadcast } from '../../kernels/broadcast.ts';
import { chainReduce } from '../../kernels/chainReduce.ts';
import { bank, uniform } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

const latencies = z.object({
  rampLatency: z.number(),
  routerBuffer: z.number(),
  inputQueue: z.number(),
  outputQueue: z.number(),
  creditLatency: z.number(),
  resultLatency: z.number(),
});
const lineCase = z.object({
  kernel: z.enum(['chainReduce', 'broadcast']),
  machine: latencies,
  width: z.number(),
  wavelets: z.number(),
  cycles: z.number(),
});
const file = new URL('../vectors/machine-vectors.json', import.meta.url);
const { cases } = z.object({ cases: z.array(z.unknown()) }).parse(JSON.parse(readFileSync(file, 'utf8')));
const lines = cases.flatMap((each) => {
  const line = lineCase.safeParse(each);
  return line.success ? [line.data] : [];
});

test('the vectors hold 24 cases of each', () => {
  expect(lines.filter((line) => line.kernel === 'chainReduce')).toHaveLength(24);
  expect(lines.filter((line) => line.kernel === 'broadcast')).toHaveLength(24);
});

test.each(lines)('$kernel of $wavelets wavelets over $width PEs takes $cycles cycles', (line) => {
  const { kernel, width, wavelets, cycles } = line;
  const program =
    kernel === 'chainReduce'
      ? chainReduce.program({ kernel, width, wavelets }, machine)
      : broadcast.program({ kernel, width, wavelets }, machine);
  expect(runStepped(program, line.machine).cycles).toBe(cycles);
});

const drawn = fc.record({
  width: fc.integer({ min: 1, max: 9 }),
  wavelets: fc.integer({ min: 1, max: 20 }),
  seed: fc.integer({ min: 1, max: 999 }),
  latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
});

describe('values', () => {
  test('a chain sums in fp32 in the order of the columns, in the cycles of the timing run', () => {
    fc.assert(
      fc.property(drawn, ({ width, wavelets, seed, latencies }) => {
        const next = uniform(seed);
        const memory = bank(width, wavelets, () => Float32Array.from({ length: wavelets }, () => next() - 0.5));
        const shape = { kernel: 'chainReduce', width, wavelets } as const;
        const run = runStepped(
          chainReduce.program(shape, machine, { words: wavelets, memory, at: { sums: 0 } }),
          latencies,
        );
        for (let i = 0; i < wavelets; i++) {
          let sum = memory[i];
          for (let x = 1; x < width; x++) sum = Math.fround(memory[x * wavelets + i] + sum);
          expect(run.memory[(width - 1) * wavelets + i]).toBe(sum);
        }
        expect(run.cycles).toBe(runStepped(chainReduce.program(shape, machine), latencies).cycles);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test.each(['east', 'west'] as const)(
    'a broadcast going %s leaves the words of its first column everywhere',
    (toward) => {
      fc.assert(
        fc.property(drawn, ({ width, wavelets, seed, latencies }) => {
          const next = uniform(seed);
          const memory = bank(width, wavelets, () => Float32Array.from({ length: wavelets }, () => next() - 0.5));
          const shape = { kernel: 'broadcast', width, wavelets, toward } as const;
          const program = broadcast.program(shape, machine, { words: wavelets, memory, at: { words: 0 } });
          const run = runStepped(program, latencies);
          const root = toward === 'east' ? 0 : width - 1;
          const sent = memory.slice(root * wavelets, (root + 1) * wavelets);
          for (let x = 0; x < width; x++) expect(run.memory.slice(x * wavelets, (x + 1) * wavelets)).toEqual(sent);
          expect(run.cycles).toBe(runStepped(broadcast.program(shape, machine), latencies).cycles);
        }),
        { seed: 2, numRuns: 100 },
      );
    },
  );

  test.each(['east', 'west'] as const)('a broadcast going %s takes the closed form', (toward) => {
    const program = broadcast.program({ kernel: 'broadcast', width: 9, wavelets: 30, toward }, machine);
    expect(runStepped(program, latenciesOf(machine)).cycles).toBe(30 + 9 + 4);
  });
});
