// Single-thread programs by time stamps against the stepped engine: chains, multicasts and streams that cross and meet on
// meshes of a few rows. Where two colors meet at a port the fast engine must not answer.

import { expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import type { Latencies } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { runStepped, type SteppedRun } from '../../emulator/stepped/engine.ts';
import { runDataflow, whyNotDataflow } from '../../emulator/streamed/dataflow.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { draws } from '../fixtures/draws.ts';
import { flowProgram } from '../fixtures/flows.ts';
import { anyLatencies } from '../fixtures/machines.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { seedsFor, shareOf, tell } from './tier.ts';

/** The stepped run, or undefined if it ended in deadlock. */
function judge(program: FabricProgram, latencies: Latencies): SteppedRun | undefined {
  try {
    return runStepped(program, latencies);
  } catch (error) {
    if (error instanceof EmulateError && error.code === EXIT.deadlock) return undefined;
    throw error;
  }
}

const random = seedsFor(800, 20_000);

test('random programs', { timeout: random.timeout }, () => {
  const seen = { same: 0, conflict: 0, deadlock: 0 };
  for (const seed of random.seeds) {
    const program = flowProgram(seed);
    const latencies = anyLatencies(draws(seed));
    expect(whyNotDataflow(program)).toBeUndefined();
    const expected = judge(program, latencies);
    const run = runDataflow(program, latencies);
    if (expected === undefined) {
      expect(run, `seed ${seed}`).toBeUndefined();
      seen.deadlock++;
    } else if (run === undefined) seen.conflict++;
    else {
      expect(run.cycles, `seed ${seed}`).toBe(expected.cycles);
      expect(run.where, `seed ${seed}`).toEqual(expected.where);
      seen.same++;
    }
  }
  tell('programs by time stamps', seen);
  expect(seen.same, JSON.stringify(seen)).toBeGreaterThan(shareOf(random.seeds, 0.65));
  expect(seen.conflict, JSON.stringify(seen)).toBeGreaterThan(shareOf(random.seeds, 0.05));
  expect(seen.deadlock, JSON.stringify(seen)).toBeGreaterThan(0);
});

const names: readonly (keyof Latencies)[] = [
  'rampLatency',
  'routerBuffer',
  'inputQueue',
  'outputQueue',
  'creditLatency',
  'resultLatency',
];

test.each(names)('a %s off by one is seen', (name) => {
  const seen = random.seeds.slice(0, 200).some((seed) => {
    const program = flowProgram(seed);
    const latencies = anyLatencies(draws(seed));
    const run = runDataflow(program, { ...latencies, [name]: latencies[name] + 1 });
    const expected = judge(program, latencies);
    return run !== undefined && expected !== undefined && !sameCounts(run, expected);
  });
  expect(seen).toBe(true);
});

function sameCounts(a: Pick<SteppedRun, 'cycles' | 'where'>, b: Pick<SteppedRun, 'cycles' | 'where'>): boolean {
  return a.cycles === b.cycles && a.where.every((count, i) => count === b.where[i]);
}

test('programs of several threads are not tried', () => {
  expect(whyNotDataflow(spmmProgram(spmmCase(1)))).toBe('a core has several threads');
});
