// Machines that the kernel tests draw from: queues of one entry and odd latencies included.

import * as fc from 'fast-check';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import type { Latencies } from '../../emulator/machine/spec.ts';

export const anyLatencies: fc.Arbitrary<Latencies> = fc.record({
  rampLatency: fc.integer({ min: 1, max: 3 }),
  routerBuffer: fc.integer({ min: 1, max: 3 }),
  inputQueue: fc.integer({ min: 1, max: 4 }),
  outputQueue: fc.integer({ min: 1, max: 4 }),
  creditLatency: fc.integer({ min: 1, max: 2 }),
  resultLatency: fc.integer({ min: 0, max: 2 }),
});

export const smallestQueues: Latencies = {
  rampLatency: 2,
  routerBuffer: 1,
  inputQueue: 1,
  outputQueue: 1,
  creditLatency: 1,
  resultLatency: 1,
};

export const machine = machinePresets.wse2.machine;
