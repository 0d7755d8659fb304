// Bands of rows against one thread: cycles, every cause of every PE, deadlocks and broken laws, word for word. Here the
// bands take turns in one thread, so that many programs and cuts can be tried; test/run/bandPool.test.ts has real threads.

import { describe, expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../../emulator/errors.ts';
import type { Latencies } from '../../../emulator/machine/spec.ts';
import { type FabricProgram, PORT } from '../../../emulator/program/fabric.ts';
import { evenBands, timingOnly } from '../../../emulator/stepped/cut.ts';
import { runStepped, type SteppedRun } from '../../../emulator/stepped/engine.ts';
import { MAIL_READY, MAIL_TAKEN, MAIL_WORDS } from '../../../emulator/stepped/layout.ts';
import { spmmProgram } from '../../../kernels/spmm/program.ts';
import { runInTurn } from '../../fixtures/bands.ts';
import { draws } from '../../fixtures/draws.ts';
import { flowProgram } from '../../fixtures/flows.ts';
import { anyLatencies, WSE2 } from '../../fixtures/machines.ts';
import { programOf, streamOf } from '../../fixtures/program.ts';
import { spmmCase } from '../../fixtures/spmmCases.ts';

function outcome(run: () => SteppedRun): SteppedRun | { code: number; message: string } {
  try {
    return run();
  } catch (error) {
    if (error instanceof EmulateError) return { code: error.code, message: error.message };
    throw error;
  }
}

/** First rows of bands: as even as can be for 1 to 4 bands, a row each, and one drawn. */
function cuts(height: number, seed: number): number[][] {
  const { chance } = draws(seed);
  const drawn = Array.from({ length: height }, (_, row) => row).filter((row) => row === 0 || chance(0.4));
  return [...[1, 2, 3, 4].map((count) => evenBands(height, count)), evenBands(height, height), drawn];
}

function inTurn(
  program: FabricProgram,
  latencies: Latencies,
  rows: readonly number[],
  tamper?: (mail: Int32Array, box: number) => void,
): SteppedRun {
  return runInTurn(timingOnly(program), latencies, rows, tamper);
}

/** The rows of a program turned to columns, so that what goes east and west there goes south and north here. */
function turned(program: FabricProgram): FabricProgram {
  const { width, height, cores } = program;
  const turn = { [PORT.N]: PORT.W, [PORT.W]: PORT.N, [PORT.E]: PORT.S, [PORT.S]: PORT.E, [PORT.R]: PORT.R } as const;
  return {
    ...program,
    width: height,
    height: width,
    routes: program.routes.map(({ x, y, color, from, to }) => ({
      x: y,
      y: x,
      color,
      from: turn[from],
      to: to.map((port) => turn[port]),
    })),
    streams: program.streams.map((stream) => ({ ...stream, x: stream.y, y: stream.x, port: turn[stream.port] })),
    cores: Array.from({ length: width * height }, (_, i) => cores[(i % height) * width + Math.floor(i / height)]),
  };
}

/** Compares all cuts of a program with one thread; returns how many of them had more than one band, and how it ended. */
function expectSame(program: FabricProgram, latencies: Latencies, seed: number): { cut: number; code: number } {
  const expected = outcome(() => runStepped(program, latencies));
  const several = cuts(program.height, seed).filter((rows) => rows.length > 1);
  for (const rows of several)
    expect(
      outcome(() => inTurn(program, latencies, rows)),
      `seed ${seed}, rows ${rows.join(' ')}`,
    ).toEqual(expected);
  return { cut: several.length, code: 'code' in expected ? expected.code : 0 };
}

test.each([
  ['of one thread a core', 1, false],
  ['of several threads a core', 1001, true],
])('random programs %s', (_, first, others) => {
  const ended: Record<number, number> = {};
  let cut = 0;
  for (let seed = first; seed < first + 400; seed++) {
    const latencies = anyLatencies(draws(seed));
    for (const program of [flowProgram(seed, others), turned(flowProgram(seed, others))]) {
      const seen = expectSame(program, latencies, seed);
      cut += seen.cut;
      ended[seen.code] = (ended[seen.code] ?? 0) + 1;
    }
  }
  expect(cut).toBeGreaterThan(1500);
  expect(ended[0], JSON.stringify(ended)).toBeGreaterThan(600);
  expect(ended[EXIT.deadlock], JSON.stringify(ended)).toBeGreaterThan(0);
});

test('sparse matmuls', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const shape = { ...spmmCase(seed), rows: 5 };
    const { cut, code } = expectSame(spmmProgram(shape), shape.latencies, seed);
    expect(code).toBe(0);
    expect(cut).toBeGreaterThan(3);
  }
});

/** On each row a stream of `wavelets` of control bit `control`, of which the core takes `taken`, not control. */
const fedRows = (
  each: readonly {
    readonly wavelets: number;
    readonly taken: number;
    readonly control?: number;
    readonly gap?: number;
  }[],
  order: readonly number[] = each.map((_, y) => y),
): FabricProgram =>
  programOf({
    width: 1,
    height: each.length,
    routes: each.map((_, y) => ({ x: 0, y, color: 0, from: PORT.W, to: [PORT.R] })),
    streams: order.map((y) => {
      const { wavelets, control = 0, gap = 1 } = each[y];
      return streamOf(wavelets, 0, { y, control: new Uint8Array(wavelets).fill(control), gapNumerator: gap });
    }),
    threads: Object.fromEntries(each.map(({ taken }, y) => [`0,${y}`, [[{ repeat: taken, slots: 1, trigger: 0 }]]])),
  });

describe('a broken law is the one that a single thread meets first', () => {
  const fine = { wavelets: 3, taken: 3 };

  test.each([
    [
      'control bits in one cycle',
      fedRows([fine, { ...fine, control: 1 }, fine, { ...fine, control: 1 }]),
      'PE (0,1) takes',
    ],
    [
      'a wavelet left over',
      fedRows([fine, fine, { wavelets: 4, taken: 3 }]),
      '1 of color 0 left in the input queue of PE (0,2)',
    ],
    [
      'two streams that never enter, the later row first',
      fedRows([{ wavelets: 5, taken: 3, gap: 100 }, fine, { wavelets: 9, taken: 3, gap: 100 }], [2, 1, 0]),
      '6 of the stream at (0,2) never enter',
    ],
  ])('%s', (_, program, message) => {
    expect(outcome(() => runStepped(program, WSE2))).toMatchObject({ code: EXIT.lawBroken });
    expect(outcome(() => inTurn(program, WSE2, evenBands(program.height, 2)))).toMatchObject({
      message: expect.stringContaining(message),
    });
    expectSame(program, WSE2, 1);
  });
});

test('a program without threads ends at once', () => {
  const program = programOf({ width: 2, height: 3 });
  expect(inTurn(program, WSE2, evenBands(3, 2))).toEqual(runStepped(program, WSE2));
});

describe('the comparison notices', () => {
  const shape = { ...spmmCase(3), rows: 4 };
  const program = spmmProgram(shape);
  const expected = runStepped(program, shape.latencies);
  const tampered = (change: (mail: Int32Array, at: number, other: number) => void): unknown =>
    outcome(() =>
      inTurn(program, shape.latencies, evenBands(4, 2), (mail, box) => {
        for (let at = box * MAIL_WORDS; at < mail.length; at += 2 * MAIL_WORDS)
          change(mail, at, at + (box === 0 ? MAIL_WORDS : -MAIL_WORDS));
      }),
    );

  test('nothing where the mail is left as it is', () => expect(tampered(() => undefined)).toEqual(expected));

  test('wavelets that are seen a cycle late', () => {
    const found = tampered((mail, at) => {
      mail[at + MAIL_READY]++;
    });
    expect(found).not.toEqual(expected);
  });

  test('credits that are heard of a cycle late', () => {
    const found = tampered((mail, at, other) => {
      if (mail[at + MAIL_TAKEN] < 0) return;
      mail[other + MAIL_TAKEN] = mail[at + MAIL_TAKEN] + 1;
      mail[at + MAIL_TAKEN] = -1;
    });
    expect(found).not.toEqual(expected);
  });
});
