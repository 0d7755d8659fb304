// Laws that every result obeys, whatever the model, the mapping and the machine; and the refusal of timings that break
// them.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import { boundGroups, boundOf } from '../../run/bound.ts';
import { runProgram } from '../../run/program.ts';
import type { WaferResult } from '../../run/result.ts';
import { inProcessTimer, type Timer } from '../../run/timer.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';

const fabric = waferOf(13, 12);

interface Drawn {
  readonly base: Readonly<Record<string, unknown>>;
  readonly sparsity: number;
  readonly batch: number;
  readonly sequence: number;
  readonly C: number;
  readonly T: number;
  readonly K: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  base: fc.constantFrom(gptLike, llamaLike, gptJLike, { kind: 'matmul', in: 30, out: 41 }),
  sparsity: fc.constantFrom(0, 0.5, 0.9, 1),
  batch: fc.integer({ min: 1, max: 30 }),
  sequence: fc.integer({ min: 1, max: 20 }),
  C: fc.integer({ min: 1, max: 13 }),
  T: fc.integer({ min: 2, max: 9 }),
  K: fc.integer({ min: 1, max: 4 }),
});

function programOf({ base, sparsity, batch, sequence, C, T, K }: Drawn): Program {
  const graph = graphOf({ ...base, sparsity }, batch, sequence);
  const fit = fitMapping(graph, fabric, anyMapping, { columns: C, tokensPerPe: T, accumulators: K });
  if (isMisfit(fit)) throw new Error(fit.what);
  return lower(placeGraph(graph, fabric, fit));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function expectLaws({ machine, mapping, tokens }: Program, result: WaferResult): void {
  const { operators, cycles, seconds, utilisation, padding } = result;
  const used = mapping.groups * mapping.columns * mapping.rows;
  const { width, height } = machine.fabric;
  for (const operator of operators) {
    expect(operator.cycles).toBe(sum(operator.steps.map(({ repeat, cycles }) => repeat * cycles)));
    for (const step of operator.steps) expect(step.cycles).toBeGreaterThanOrEqual(machine.core.kernelStart);
    const counts = Object.values(operator.where);
    expect(sum(counts)).toBe(operator.cycles * used);
    for (const count of counts) expect(count >= 0 && Number.isInteger(count)).toBe(true);
    expect(operator.utilisation).toBeGreaterThanOrEqual(0);
    expect(operator.utilisation).toBeLessThanOrEqual(1);
    expect(operator.boundBy).toBe(boundOf(operator.where));
    expect(sum(Object.values(boundGroups(operator.where)))).toBe(operator.cycles * used);
  }
  expect(cycles).toBe(mapping.passes * sum(operators.map((operator) => operator.cycles)));
  expect(seconds).toBe(cycles / machine.clockHz);
  expect(result.tokensPerSecond).toBe(tokens / seconds);
  expect(Math.abs(sum(operators.map(({ share }) => share)) - 1)).toBeLessThan(1e-12);
  expect(utilisation).toBeLessThanOrEqual(1);
  // The whole is the mean of its operators, weighted by their share.
  const mean = sum(operators.map((operator) => operator.share * operator.utilisation));
  expect(Math.abs(mean - utilisation)).toBeLessThan(1e-12);
  const compute = sum(operators.map(({ where }) => where.compute)) * mapping.passes;
  expect(Math.abs(compute / (cycles * width * height) - utilisation)).toBeLessThan(1e-12);
  expect(padding).toBe(mapping.groups * mapping.rows * mapping.tokensPerPe * mapping.passes - tokens);
  expect(padding).toBeGreaterThanOrEqual(0);
}

test('the laws hold', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async (each) => {
      const program = programOf(each);
      expectLaws(program, await runProgram(program, { timer: inProcessTimer() }));
    }),
    { seed: 3, numRuns: 60 },
  );
});

const gpt = programOf({ base: gptLike, sparsity: 0.6, batch: 9, sequence: 13, C: 6, T: 5, K: 3 });

test('passes repeat the cycles, and change nothing else', async () => {
  expect(gpt.mapping.passes).toBe(2);
  const two = await runProgram(gpt, { timer: inProcessTimer() });
  const one = await runProgram({ ...gpt, mapping: { ...gpt.mapping, passes: 1 } }, { timer: inProcessTimer() });
  expect(two.cycles).toBe(2 * one.cycles);
  expect(two.operators).toEqual(one.operators);
  expect(two.utilisation).toBe(one.utilisation);
});

test('progress counts every kernel to the last', async () => {
  const seen: [number, number][] = [];
  await runProgram(gpt, { timer: inProcessTimer(), onProgress: (done, total) => seen.push([done, total]) });
  const total = sum(gpt.operators.map(({ steps }) => steps.length));
  expect(seen).toEqual(Array.from({ length: total }, (_, i) => [i + 1, total]));
});

/** Timings with one count changed. */
function dishonest(change: (totals: number[]) => void, kernel: string): Timer {
  const timer = inProcessTimer();
  return {
    ...timer,
    time: async (shape, machine, name) => {
      const timing = await timer.time(shape, machine, name);
      const totals = [...timing.totals];
      if (shape.kernel === kernel) change(totals);
      return { ...timing, totals };
    },
  };
}

describe('a cycle that has no cause, or two, is a broken law (exit 5)', () => {
  test.each(['spmm', 'affine', 'layerNorm', 'attentionScores', 'logitMerge'])('%s', async (kernel) => {
    const more = dishonest((totals) => totals[CAUSE.compute]++, kernel);
    await expect(runProgram(gpt, { timer: more })).rejects.toMatchObject({ code: 5 });
    const fewer = dishonest((totals) => totals[CAUSE.waitWeights]--, kernel);
    await expect(runProgram(gpt, { timer: fewer })).rejects.toThrow(/^law broken in \S+: causes add up to \d+/);
  });
});

test('an operator is bound by what takes most of its cycles', () => {
  const where = {
    compute: 10,
    overhead: 9,
    reduce: 8,
    waitWeights: 11,
    waitThread: 4,
    waitPartial: 4,
    waitCredit: 7,
    done: 4,
  };
  expect(boundOf(where)).toBe('load imbalance');
  expect(boundOf({ ...where, done: 2 })).toBe('weight stream');
  expect(boundOf({ ...where, waitCredit: 12.5, overhead: 12 })).toBe('fabric');
});
