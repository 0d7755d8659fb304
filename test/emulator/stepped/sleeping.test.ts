// Parts that can do nothing are not visited. With every part visited in every cycle the same comes out: cycles, causes
// and memory. Programs that end in deadlock end in it either way.

import { expect, test } from 'vitest';
import { CAUSE_COUNT, CAUSES } from '../../../emulator/program/causes.ts';
import { EmulateError, EXIT } from '../../../emulator/errors.ts';
import type { Latencies } from '../../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../../emulator/program/fabric.ts';
import { runStepped, type SteppedOptions, type SteppedRun } from '../../../emulator/stepped/engine.ts';
import { spmmProgram } from '../../../kernels/spmm/program.ts';
import { draws } from '../../fixtures/draws.ts';
import { flowProgram } from '../../fixtures/flows.ts';
import { anyLatencies } from '../../fixtures/machines.ts';
import { spmmCase } from '../../fixtures/spmmCases.ts';
import { trace } from '../../fixtures/trace.ts';

function outcome(program: FabricProgram, latencies: Latencies, options: SteppedOptions): SteppedRun | number {
  try {
    return runStepped(program, latencies, options);
  } catch (error) {
    if (error instanceof EmulateError && error.code === EXIT.deadlock) return error.code;
    throw error;
  }
}

function expectSame(program: FabricProgram, latencies: Latencies, seed: number): boolean {
  const sleeping = outcome(program, latencies, {});
  expect(sleeping, `seed ${seed}`).toEqual(outcome(program, latencies, { visitAll: true }));
  return typeof sleeping !== 'number';
}

test('programs of one thread a core', () => {
  let ended = 0;
  for (let seed = 1; seed <= 300; seed++) if (expectSame(flowProgram(seed), anyLatencies(draws(seed)), seed)) ended++;
  expect(ended).toBeGreaterThan(250);
});

test('programs of several threads a core', () => {
  let ended = 0;
  for (let seed = 1001; seed <= 1300; seed++)
    if (expectSame(flowProgram(seed, true), anyLatencies(draws(seed)), seed)) ended++;
  expect(ended).toBeGreaterThan(250);
});

test('sparse matmuls, which meet in semaphores', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const shape = spmmCase(seed);
    expect(expectSame(spmmProgram(shape), shape.latencies, seed)).toBe(true);
  }
});

test('the trace that the timing tests read is the same run, cycle for cycle', () => {
  let compared = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const shape = spmmCase(seed);
    const runs: [FabricProgram, Latencies][] = [
      [spmmProgram(shape), shape.latencies],
      [flowProgram(seed, true), anyLatencies(draws(seed))],
    ];
    for (const [program, latencies] of runs) {
      const run = outcome(program, latencies, {});
      if (typeof run === 'number') continue;
      const traced = trace(program, latencies);
      expect(traced.cycles, `seed ${seed}`).toBe(run.cycles);
      for (let pe = 0; pe < program.cores.length; pe++) {
        const cycles = traced.core(pe % program.width, Math.floor(pe / program.width));
        const counts = CAUSES.map((cause) => cycles.filter((each) => each.cause === cause).length);
        expect([...run.where.subarray(pe * CAUSE_COUNT, (pe + 1) * CAUSE_COUNT)], `seed ${seed}, PE ${pe}`).toEqual(
          counts,
        );
      }
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(60);
});
