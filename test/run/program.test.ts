// Laws that every result obeys, whatever the model, the mapping and the machine; and the refusal of timings that break
// them.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProgram } from '../../compiler/lower/codec.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import { LawError } from '../../emulator/laws.ts';
import { boundGroups, boundOf } from '../../run/bound.ts';
import { assertOperator, assertRun } from '../../run/laws.ts';
import { runProgram } from '../../run/program.ts';
import type { OperatorResult, WaferResult } from '../../run/result.ts';
import type { StepTiming } from '../../run/stepTiming.ts';
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

/** Timings of a kernel with something changed. */
function tampered(kernel: string, change: (timing: StepTiming) => Partial<StepTiming>): Timer {
  const timer = inProcessTimer();
  return {
    ...timer,
    time: async (shape, machine, name) => {
      const timing = await timer.time(shape, machine, name);
      return shape.kernel === kernel ? { ...timing, ...change(timing) } : timing;
    },
  };
}

function dishonest(change: (totals: number[]) => void, kernel: string): Timer {
  return tampered(kernel, ({ totals }) => {
    const changed = [...totals];
    change(changed);
    return { totals: changed };
  });
}

/** The error of a run that breaks a law, and that of the smallest program that it leaves, run in the same way. */
async function brokenTwice(program: Program, timer: Timer): Promise<{ error: LawError; smallest: Program }> {
  const error = await lawErrorOf(program, timer);
  const content = error.smallest?.content;
  if (!(content instanceof Uint8Array)) throw new Error('no program');
  const smallest = decodeProgram(content, 'smallest');
  expect(await lawErrorOf(smallest, timer)).toMatchObject({ law: error.law, code: 5 });
  expect(smallest.operators).toHaveLength(1);
  return { error, smallest };
}

async function lawErrorOf(program: Program, timer: Timer): Promise<LawError> {
  try {
    await runProgram(program, { timer });
  } catch (error) {
    if (error instanceof LawError) return error;
    throw error;
  }
  throw new Error('no law was broken');
}

describe('a broken law of an operator leaves the operator alone, in the fewest kernels that show it', () => {
  test('a kernel whose fullest PE has more slots than cycles', async () => {
    const timer = tampered('attentionSoftmax', ({ cycles, slots }) => ({ slots: { ...slots, compute: cycles + 1 } }));
    const { error, smallest } = await brokenTwice(gpt, timer);
    expect(error).toMatchObject({ law: 'causes' });
    expect(error.message).toMatch(/^law broken in h\.0\.attn\.softmax: a PE of kernel attentionSoftmax has \d+ slots/);
    expect(smallest.operators[0].steps).toMatchObject([{ shape: { kernel: 'attentionSoftmax' }, repeat: 1 }]);
    expect(error.smallest).toMatchObject({ stem: 'h.0.attn.softmax', suffix: '.program', before: 'run' });
  });

  test('kernels that cover more PEs than are in use', async () => {
    const timer = tampered('spmm', ({ pes, totals }) => ({ pes: 2 * pes, totals: totals.map((count) => 2 * count) }));
    const { error } = await brokenTwice(gpt, timer);
    expect(error).toMatchObject({ law: 'totals' });
    expect(error.message).toContain('its kernels cover more PEs than are in use');
  });

  test('more multiply-adds than the wafer has cycles', async () => {
    const fabric = { ...gpt.machine.fabric, width: 1, height: 2 };
    const timer = tampered('local', ({ cycles, pes }) => ({ totals: [cycles * pes, 0, 0, 0, 0, 0, 0, 0] }));
    const { error, smallest } = await brokenTwice({ ...gpt, machine: { ...gpt.machine, fabric } }, timer);
    expect(error).toMatchObject({ law: 'utilisation' });
    expect(error.message).toMatch(/utilisation is \d+\.\d+, allowed at most 1 \(of 1 x 2 PEs\)/);
    expect(smallest.operators[0].steps).toHaveLength(1);
  });

  test('cycles that are not those of the kernels', () => {
    const result = { name: 'a', cycles: 10, steps: [{ repeat: 3, cycles: 3 }] };
    const operator: OperatorResult = JSON.parse(JSON.stringify({ ...result, where: {}, utilisation: 0 }));
    expect(() => assertOperator(gpt, operator, 1)).toThrow('law broken in a: cycles are 10, those of its kernels 9');
  });

  test('a run that has not the cycles of its operators', async () => {
    const run = await runProgram(gpt, { timer: inProcessTimer() });
    assertRun(gpt, run);
    expect(() => assertRun(gpt, { ...run, cycles: run.cycles + 1 })).toThrow(
      /cycles are \d+, those of its operators \d+/,
    );
    expect(() => assertRun(gpt, { ...run, utilisation: 1.01 })).toThrow('utilisation is 1.01, allowed at most 1');
  });
});

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
