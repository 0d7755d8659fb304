// The smallest case that breaks a law: how it is found, what is tried on the way, and that its file says all of it.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { kernelCases } from '../../cli/kernel/spec.ts';
import { plainOf, timeCase } from '../../cli/kernel/timing.ts';
import { decodeProgram } from '../../compiler/lower/codec.ts';
import { parseDocument } from '../../compiler/model/document.ts';
import { EmulateError } from '../../emulator/errors.ts';
import { type Law, LawError, lawBroken } from '../../emulator/laws.ts';
import { PORT } from '../../emulator/program/fabric.ts';
import { timingOnly } from '../../emulator/stepped/cut.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { type PlainCase, specText } from '../../run/kernelCase.ts';
import { runProgram } from '../../run/program.ts';
import { isSound, smallestCase, smallestThat } from '../../run/smallest.ts';
import { timeStep } from '../../run/step.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { draws } from '../fixtures/draws.ts';
import { flowProgram } from '../fixtures/flows.ts';
import { anyLatencies, WSE2 } from '../fixtures/machines.ts';
import { eastward, programOf } from '../fixtures/program.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';
import { waferOf } from './tiny.ts';

const planted = vi.hoisted(() => ({ columnReduce: (_wavelets: number): void => undefined }));

vi.mock('../../kernels/columnReduceTime.ts', async (original) => {
  const real = await original<typeof import('../../kernels/columnReduceTime.ts')>();
  return {
    ...real,
    columnReduceTime: (...[shape, machine]: Parameters<typeof real.columnReduceTime>) => {
      planted.columnReduce(shape.wavelets);
      return real.columnReduceTime(shape, machine);
    },
  };
});

afterEach(() => {
  planted.columnReduce = () => undefined;
});

test('halves and then one less lead to the smallest, in few tries', () => {
  let tries = 0;
  const smallest = smallestThat(
    100_000,
    (count) => [1, count >> 1, count - 1].filter((less) => less > 0 && less < count),
    (count) => {
      tries++;
      return count >= 777;
    },
  );
  expect(smallest).toBe(777);
  expect(tries).toBeLessThan(100);
});

test('what never ends being smaller is given up', () => {
  let tries = 0;
  const smallest = smallestThat(
    0,
    (one) => [one - 1],
    () => ++tries > 0,
  );
  expect(smallest).toBe(-1000);
});

/** The smallest case for which `isBad` holds, and all cases that were looked at. */
function shrunk(from: PlainCase, isBad: (one: PlainCase) => boolean): { smallest: PlainCase; tried: PlainCase[] } {
  const tried: PlainCase[] = [];
  const law: Law = 'wavelets';
  const smallest = smallestCase(from, law, (one) => {
    tried.push(one);
    if (isBad(one)) throw lawBroken('test', law, 'as planted');
  });
  return { smallest, tried };
}

const weights = (one: PlainCase): number => (one.kernel === 'spmm' ? one.nnz.reduce((a, b) => a + b, 0) : 0);

describe('a matmul', () => {
  test('loses all that the fault does not need', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const from = { kernel: 'spmm', ...spmmCase(seed), rows: 3 } as const;
      if (weights(from) < 5) continue;
      const { smallest } = shrunk(from, (one) => weights(one) >= 3);
      expect(smallest).toMatchObject({ rows: 1, tokens: 1, accumulators: 1 });
      expect(weights(smallest)).toBe(3);
      if (smallest.kernel === 'spmm') expect(smallest.nnz.length).toBeLessThanOrEqual(6);
    }
  });

  test('with ends of its own and features without waves stays one at every step', () => {
    const shape = spmmCase(7);
    const features = 12;
    const from = {
      kernel: 'spmm',
      ...shape,
      cols: 5,
      features,
      waves: 10,
      accumulators: 3,
      ends: Uint16Array.from({ length: 10 }, (_, n) => (n * 2) % 5),
      nnz: Uint16Array.from({ length: features * 5 }, (_, i) => i % 3),
    } as const;
    const { smallest, tried } = shrunk(
      from,
      (one) => one.kernel === 'spmm' && one.ends !== undefined && one.features > 4,
    );
    expect(smallest).toMatchObject({ features: 5, waves: 3, accumulators: 2, ends: expect.any(Uint16Array) });
    for (const one of tried) {
      if (one.kernel !== 'spmm') throw new Error('another kernel');
      expect(timeSpmm(one, 'stepped').cycles).toBe(timeSpmm(one, 'auto').cycles);
    }
  });
});

describe('a program', () => {
  test('that takes what it sends stays so at every step', () => {
    let smaller = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const from = {
        kernel: 'program',
        program: timingOnly(flowProgram(seed)),
        latencies: anyLatencies(draws(seed)),
      } as const;
      const { smallest, tried } = shrunk(from, (one) => one.kernel === 'program' && one.program.routes.length > 2);
      for (const one of tried) if (one.kernel === 'program') expect(isSound(one.program, one.latencies)).toBe(true);
      if (smallest !== from) smaller++;
    }
    expect(smaller).toBeGreaterThan(10);
  });

  test('that does not loses all that the fault does not need', () => {
    const sent = programOf({
      width: 4,
      height: 3,
      routes: eastward(0, [2], { from: PORT.R, y: 1 }),
      threads: { '0,1': [[{ slots: 30, output: 0 }, { slots: 7 }]], '3,2': [[{ slots: 4 }]] },
    });
    const from = { kernel: 'program', program: timingOnly(sent), latencies: WSE2 } as const;
    expect(isSound(from.program, WSE2)).toBe(false);
    const { smallest } = shrunk(from, () => true);
    expect(smallest).toMatchObject({ program: { width: 1, height: 1, routes: [], cores: [{ threads: [] }] } });
  });
});

/** How a case ends: its cycles and causes, or its error. */
function outcome(one: PlainCase): unknown {
  try {
    return timeCase(one, 'auto');
  } catch (error) {
    if (error instanceof EmulateError) return error.message;
    throw error;
  }
}

test('a file of a case is that case', () => {
  const ended = new Set<string>();
  for (let seed = 1; seed <= 80; seed++) {
    const latencies = anyLatencies(draws(seed));
    const cases: PlainCase[] = [
      { kernel: 'spmm', ...spmmCase(seed) },
      { kernel: 'program', program: timingOnly(flowProgram(seed, seed % 2 === 0)), latencies },
      { kernel: 'broadcast', width: 1 + (seed % 9), wavelets: seed, latencies },
    ];
    for (const one of cases) {
      const text = specText(one, `case ${seed}`);
      const read = kernelCases(parseDocument('case.json', text));
      if (one.kernel === 'spmm') expect(read).toEqual([one]);
      const expected = outcome(one);
      ended.add(typeof expected);
      expect(read.map((other) => outcome(plainOf(other)))).toEqual([expected]);
    }
  }
  expect(ended).toContain('object');
});

test('what only the closed form of a kernel breaks is left as an operator to run', async () => {
  planted.columnReduce = (wavelets) => {
    if (wavelets >= 12) throw lawBroken('columnReduce', 'link', 'as planted');
  };
  const machine = waferOf(9, 9);
  const shape = { kernel: 'columnReduce', rows: 6, cols: 1, wavelets: 100, gap: [3, 1] } as const;
  const error = await Promise.resolve()
    .then(() => timeStep(shape, machine))
    .catch((reason: unknown) => reason);
  if (!(error instanceof LawError) || !(error.smallest?.content instanceof Uint8Array)) throw new Error('no program');
  expect(error.smallest).toMatchObject({
    stem: 'columnReduce',
    suffix: '.program',
    before: 'run',
    after: '--no-twins',
  });
  const program = decodeProgram(error.smallest.content, 'smallest');
  expect(program.operators[0].steps).toMatchObject([{ shape: { rows: 1, cols: 1, wavelets: 12 }, repeat: 1 }]);
  await expect(runProgram(program, { timer: inProcessTimer() })).rejects.toMatchObject({ code: 5, law: 'link' });
  planted.columnReduce = () => undefined;
  expect((await runProgram(program, { timer: inProcessTimer() })).cycles).toBeGreaterThan(0);
});
