// Bands on real threads: the same run as one thread's, its errors too; and what happens when a worker dies or the user
// has had enough.

import { afterAll, describe, expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import type { Latencies } from '../../emulator/machine/spec.ts';
import { PORT } from '../../emulator/program/fabric.ts';
import { evenBands, type TimingProgram, timingOnly } from '../../emulator/stepped/cut.ts';
import { runStepped, type SteppedRun } from '../../emulator/stepped/engine.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { openBands } from '../../run/bandPool.ts';
import { draws } from '../fixtures/draws.ts';
import { flowProgram } from '../fixtures/flows.ts';
import { anyLatencies, WSE2 } from '../fixtures/machines.ts';
import { programOf } from '../fixtures/program.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';

const WORKERS = 4;
const pool = openBands(WORKERS);
afterAll(() => pool.close());

type Outcome = SteppedRun | { readonly code: number; readonly message: string };

async function outcome(run: () => SteppedRun | Promise<SteppedRun>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof EmulateError) return { code: error.code, message: error.message };
    throw error;
  }
}

async function expectSame(program: TimingProgram, latencies: Latencies, rows: readonly number[]): Promise<Outcome> {
  const expected = await outcome(() => runStepped(program, latencies));
  expect(await outcome(() => pool.run(program, latencies, rows)), `rows ${rows.join(' ')}`).toEqual(expected);
  return expected;
}

const matmul = (seed: number): { program: TimingProgram; latencies: Latencies } => {
  const shape = { ...spmmCase(seed), rows: 7 };
  return { program: timingOnly(spmmProgram(shape)), latencies: shape.latencies };
};

test.each([1, 2, 3, 4])('sparse matmuls in %i bands', async (count) => {
  for (let seed = 1; seed <= 8; seed++) {
    const { program, latencies } = matmul(seed);
    await expectSame(program, latencies, evenBands(program.height, count));
  }
});

test('bands of one row, and of all the others', async () => {
  const { program, latencies } = matmul(9);
  for (const rows of [
    [0, 1],
    [0, 6],
    [0, 1, 2, 3],
    [0, 5, 6],
  ])
    await expectSame(program, latencies, rows);
});

test('random programs of several threads a core', async () => {
  let ran = 0;
  for (let seed = 1001; seed <= 1400; seed++) {
    const program = timingOnly(flowProgram(seed, true));
    if (program.height === 1) continue;
    await expectSame(program, anyLatencies(draws(seed)), evenBands(program.height, WORKERS));
    ran++;
  }
  expect(ran).toBeGreaterThan(200);
});

/** The first core sends `sent` wavelets down the rows; the last one takes `taken`. */
const southward = (sent: number, taken: number): TimingProgram =>
  timingOnly(
    programOf({
      width: 1,
      height: 4,
      routes: [
        { x: 0, y: 0, color: 0, from: PORT.R, to: [PORT.S] },
        ...[1, 2].map((y) => ({ x: 0, y, color: 0, from: PORT.N, to: [PORT.S] })),
        { x: 0, y: 3, color: 0, from: PORT.N, to: [PORT.R] },
      ],
      threads: { '0,0': [[{ slots: sent, output: 0 }]], '0,3': [[{ slots: taken, input: 0 }]] },
    }),
  );

test.each([
  ['a deadlock', southward(5, 6), EXIT.deadlock],
  ['a wavelet left over', southward(6, 5), EXIT.lawBroken],
])('%s', async (_, program, code) => {
  for (const rows of [
    [0, 2],
    [0, 1, 2, 3],
  ])
    expect(await expectSame(program, WSE2, rows)).toMatchObject({ code });
});

/** Takes minutes. */
const long = programOf({ width: 8, height: 8, threads: { '0,0': [[{ slots: 1, overhead: 1, repeat: 300_000_000 }]] } });

describe('a pool that ends early', () => {
  test('a worker that dies is a defect, which names the program, and leaves nothing waiting', async () => {
    const own = openBands(2);
    const program = timingOnly(spmmProgram({ ...spmmCase(1), rows: 4 }));
    // A gap that is no number: the row of the streams stops with an error that is not ours, the other row waits for it.
    const streams = program.streams.map((stream) => Object.assign({ ...stream }, { gapNumerator: 1n }));
    const broken = Object.assign({ ...program }, { name: 'broken', streams });
    const found = outcome(() => own.run(Object.assign({ ...program }, broken), WSE2));
    expect(await found).toMatchObject({
      code: EXIT.defect,
      message: expect.stringMatching(/^internal: a worker of broken died: .*BigInt/),
    });
    await own.close();
  });

  test('an abort ends it', { timeout: 20_000 }, async () => {
    const stop = new AbortController();
    const own = openBands(2, stop.signal);
    // Workers that have run once are surely there when the abort comes.
    await own.run(timingOnly(programOf({ width: 1, height: 2, threads: { '0,0': [[{ slots: 1 }]] } })), WSE2);
    const found = outcome(() => own.run(timingOnly(long), WSE2));
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop.abort();
    expect(await found).toMatchObject({ code: EXIT.interrupted });
    await own.close();
  });
});
