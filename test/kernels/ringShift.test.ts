// A shift moves every block one ring position on, whatever the queues.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Latencies, latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { ringShift, type RingShiftShape } from '../../kernels/ringShift.ts';
import { bank, drawHalves } from './draw.ts';
import { anyLatencies, machine, smallestQueues } from './latencies.ts';

/** The machine whose queues are those of `latencies`: bursts are as long as the queues allow. */
function machineWith({ inputQueue, outputQueue }: Latencies): Machine {
  return { ...machine, core: { ...machine.core, inputQueue, outputQueue } };
}

test.each(['row', 'column'] as const)('blocks go one position on in rings along a %s', (along) => {
  const drawn = fc.record({
    size: fc.integer({ min: 1, max: 7 }),
    count: fc.integer({ min: 1, max: 33 }),
    ringsX: fc.integer({ min: 1, max: 2 }),
    ringsY: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 1, max: 999 }),
    latencies: fc.oneof(anyLatencies, fc.constant(smallestQueues)),
  });
  fc.assert(
    fc.property(drawn, ({ size, count, ringsX, ringsY, seed, latencies }) => {
      const wavelets = Math.ceil(count / 2);
      const shape: RingShiftShape = { kernel: 'ringShift', size, along, wavelets, ringsX, ringsY };
      const words = 2 * count;
      const [width, height] = along === 'row' ? [ringsX * size, ringsY] : [ringsX, ringsY * size];
      const memory = bank(width * height, words, (pe) => drawHalves(count, seed + pe));
      const values = { words, memory, at: { source: 0, destination: count }, count };
      const run = runStepped(ringShift.program(shape, machineWith(latencies), values), latencies);
      const timed = runStepped(ringShift.program(shape, machineWith(latencies)), latencies);
      expect(run.cycles).toBe(timed.cycles);
      if (size === 1) {
        expect(run.cycles).toBe(0);
        return;
      }
      for (let y = 0; y < ringsY; y++)
        for (let x = 0; x < ringsX; x++)
          for (let p = 0; p < size; p++) {
            const peAt = (at: number): number =>
              along === 'row' ? y * width + x * size + at : (y * size + at) * width + x;
            const from = peAt(columnOf(p, size)) * words;
            const to = peAt(columnOf((p + 1) % size, size)) * words + count;
            expect(run.memory.slice(to, to + count)).toEqual(memory.slice(from, from + count));
          }
    }),
    { seed: 8, numRuns: 100 },
  );
});

test('a burst as long as the two queues leaves no gap: two slots a wavelet', () => {
  const shape: RingShiftShape = { kernel: 'ringShift', size: 6, along: 'column', wavelets: 120, ringsX: 1, ringsY: 1 };
  expect(runStepped(ringShift.program(shape, machine), latenciesOf(machine)).cycles).toBe(240);
});
