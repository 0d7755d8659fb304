// Each rule of docs/machine.md by itself, tight: what may happen in cycle n happens in n and not before.

import { describe, expect, test } from 'vitest';
import type { Latencies } from '../../../emulator/machine/spec.ts';
import { CAUSE, CAUSES } from '../../../emulator/program/causes.ts';
import { PORT, type Route } from '../../../emulator/program/fabric.ts';
import type { Instruction } from '../../../emulator/program/instruction.ts';
import { dueTime } from '../../../emulator/stepped/streams.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { eastward, programOf, streamOf } from '../../fixtures/program.ts';
import { trace } from '../../fixtures/trace.ts';

/** Takes `slots` wavelets of a color, one a slot. */
const receive = (slots: number, input: number): Instruction => ({ slots, input });
/** Sends `slots` wavelets on a color, one a slot. */
const send = (slots: number, output: number): Instruction => ({ slots, output });
/** Does something else for `slots` slots. */
const busy = (slots: number): Instruction => ({ slots });

const from = (first: number, count: number, step = 1): number[] =>
  Array.from({ length: count }, (_, k) => first + k * step);

/** A core at column 0 sends `wavelets` on color 0 to the core at `last`, which first does `away` slots of something else. */
function sender(
  latencies: Latencies,
  { wavelets, last = 1, away = 0 }: { wavelets: number; last?: number; away?: number },
) {
  return trace(
    programOf({
      width: last + 1,
      routes: eastward(0, [last], { from: PORT.R }),
      threads: { '0,0': [[send(wavelets, 0)]], [`${last},0`]: [[busy(away), receive(wavelets, 0)]] },
    }),
    latencies,
  );
}

/** `wavelets` come from the west edge on color 0 to the core at `last`. */
function stream(
  latencies: Latencies,
  {
    wavelets,
    last = 0,
    away = 0,
    gap = [1, 1],
  }: { wavelets: number; last?: number; away?: number; gap?: [number, number] },
) {
  return trace(
    programOf({
      width: last + 1,
      routes: eastward(0, [last]),
      streams: [streamOf(wavelets, 0, { gapNumerator: gap[0], gapDenominator: gap[1] })],
      threads: { [`${last},0`]: [[busy(away), receive(wavelets, 0)]] },
      edgeColors: [0],
    }),
    latencies,
  );
}

describe('latency', () => {
  test('a hop takes one cycle', () => {
    const run = stream(WSE2, { wavelets: 3, last: 4 });
    expect(run.entered(0, 0, 0)).toEqual([0, 1, 2]);
    for (let x = 0; x <= 4; x++) expect(run.left(x, 0, 0)).toEqual(from(x + 1, 3));
  });

  test.each([1, 2, 3, 4])('the ramp to the core takes %i cycles', (rampLatency) => {
    const run = stream({ ...WSE2, rampLatency }, { wavelets: 3 });
    expect(run.left(0, 0, 0)).toEqual([1, 2, 3]);
    expect(run.taken(0, 0, 0)).toEqual(from(1 + rampLatency, 3));
  });

  test.each([
    [0, 1],
    [0, 3],
    [1, 2],
    [3, 2],
  ])('a result is there after %i cycles and passes the ramp in %i', (resultLatency, rampLatency) => {
    const run = sender({ ...WSE2, resultLatency, rampLatency, outputQueue: 20 }, { wavelets: 3 });
    expect(run.slots(0, 0, 0)).toEqual([0, 1, 2]);
    expect(run.left(0, 0, 0)).toEqual(from(resultLatency + rampLatency, 3));
  });

  test('from core to neighbouring core: result, ramp, hop, ramp', () => {
    const run = sender(WSE2, { wavelets: 1 });
    expect(run.taken(1, 0, 0)).toEqual([1 + 2 + 1 + 2]);
    expect(run.cycles).toBe(7);
  });
});

describe('credits', () => {
  test.each([1, 2, 3])(
    'back pressure stops the sender when its queue is full and lets it go %i cycles after',
    (creditLatency) => {
      const run = sender({ ...WSE2, creditLatency, outputQueue: 2, routerBuffer: 9, inputQueue: 9 }, { wavelets: 4 });
      const [first, second] = run.left(0, 0, 0);
      expect(first).toBe(3);
      expect(run.slots(0, 0, 0)).toEqual([0, 1, first + creditLatency, second + creditLatency]);
      expect(run.core(0, 0)[2]).toEqual({ thread: -1, cause: 'waitCredit' });
    },
  );

  test.each([
    [1, 1, 2],
    [2, 1, 1],
    [1, 2, 3],
    [3, 2, 1],
  ])('%i entries with credits %i late pass a wavelet every %i cycles', (routerBuffer, creditLatency, every) => {
    const run = stream({ ...WSE2, routerBuffer, creditLatency, inputQueue: 20 }, { wavelets: 5, last: 2 });
    expect(run.entered(0, 0, 0)).toEqual(from(0, 5, every));
    expect(run.left(1, 0, 0)).toEqual(from(2, 5, every));
  });

  test('all buffers between two cores fill, in flight wavelets included, and not one wavelet more is sent', () => {
    const away = 60;
    const run = sender({ ...WSE2, outputQueue: 3, routerBuffer: 2, inputQueue: 4 }, { wavelets: 20, last: 2, away });
    const early = (times: readonly number[]): number => times.filter((t) => t < away).length;
    expect(early(run.left(2, 0, 0))).toBe(4);
    expect(early(run.left(1, 0, 0))).toBe(4 + 2);
    expect(early(run.left(0, 0, 0))).toBe(4 + 2 + 2);
    expect(early(run.slots(0, 0, 0))).toBe(4 + 2 + 2 + 3);
  });

  test('a freed entry is felt one buffer further up a credit latency later', () => {
    const [creditLatency, away] = [2, 60];
    const run = sender({ ...WSE2, creditLatency, routerBuffer: 2, inputQueue: 3 }, { wavelets: 40, last: 2, away });
    const firstFrom = (times: readonly number[]): number => times.filter((t) => t >= away)[0];
    expect(run.taken(2, 0, 0)[0]).toBe(away);
    expect(firstFrom(run.left(2, 0, 0))).toBe(away + creditLatency);
    expect(firstFrom(run.left(1, 0, 0))).toBe(away + 2 * creditLatency);
    expect(firstFrom(run.left(0, 0, 0))).toBe(away + 3 * creditLatency);
    expect(firstFrom(run.slots(0, 0, 0))).toBe(away + 4 * creditLatency);
  });

  test('the input queue counts wavelets on the ramp', () => {
    const run = stream({ ...WSE2, inputQueue: 1, rampLatency: 3, creditLatency: 1 }, { wavelets: 3 });
    expect(run.left(0, 0, 0)).toEqual([1, 5, 9]);
    expect(run.taken(0, 0, 0)).toEqual([4, 8, 12]);
  });
});

/** Color 0 goes on to column 1 and to the core of column 0; the core that `slow` names takes it `away` slots late. */
const multicast = (slow: string, away: number) =>
  trace(
    programOf({
      width: 2,
      routes: eastward(0, [0, 1]),
      streams: [streamOf(9, 0)],
      threads: {
        '0,0': [[busy(slow === '0,0' ? away : 0), receive(9, 0)]],
        '1,0': [[busy(slow === '1,0' ? away : 0), receive(9, 0)]],
      },
    }),
    { ...WSE2, inputQueue: 3, routerBuffer: 2 },
  );

/** Two colors from two sides to one core, whose queues are deep. */
const meeting = (west: number, north: number, gap = 1) =>
  trace(
    programOf({
      width: 1,
      routes: [
        { x: 0, y: 0, color: west, from: PORT.W, to: [PORT.R] },
        { x: 0, y: 0, color: north, from: PORT.N, to: [PORT.R] },
      ],
      streams: [streamOf(4, west, { gapNumerator: gap }), streamOf(4, north, { port: PORT.N })],
      threads: { '0,0': [[receive(4, west), receive(4, north)]] },
    }),
    { ...WSE2, inputQueue: 9 },
  );

describe('routers', () => {
  test('multicast is atomic: a full core holds back the neighbour', () => {
    const run = multicast('0,0', 50);
    expect(run.taken(1, 0, 0).filter((t) => t < 50)).toHaveLength(3);
    expect(run.left(0, 0, 0)[3]).toBe(50 + WSE2.creditLatency);
    expect(run.taken(1, 0, 0)[3]).toBe(51 + 1 + WSE2.rampLatency);
  });

  test('multicast is atomic: a full neighbour holds back the core', () => {
    const run = multicast('1,0', 50);
    // Three in the queue of column 1, two in its router.
    expect(run.taken(0, 0, 0).filter((t) => t < 50)).toHaveLength(5);
    expect(run.left(1, 0, 0)[3]).toBe(51);
    expect(run.left(0, 0, 0)[5]).toBe(52);
  });

  test('the lower color goes first, from whichever side it comes', () => {
    expect(meeting(2, 5).left(0, 0, 2)).toEqual([1, 2, 3, 4]);
    expect(meeting(2, 5).left(0, 0, 5)).toEqual([5, 6, 7, 8]);
    expect(meeting(5, 2).left(0, 0, 2)).toEqual([1, 2, 3, 4]);
    expect(meeting(5, 2).left(0, 0, 5)).toEqual([5, 6, 7, 8]);
  });

  test('the higher color takes the cycles that the lower leaves', () => {
    const run = meeting(2, 5, 2);
    expect(run.left(0, 0, 2)).toEqual([1, 3, 5, 7]);
    expect(run.left(0, 0, 5)).toEqual([2, 4, 6, 8]);
  });

  test('colors that share no port do not hold each other up', () => {
    const routes: Route[] = [
      { x: 0, y: 0, color: 0, from: PORT.W, to: [PORT.R] },
      { x: 0, y: 0, color: 1, from: PORT.R, to: [PORT.E] },
      { x: 1, y: 0, color: 1, from: PORT.W, to: [PORT.R] },
    ];
    const threads = { '0,0': [[{ slots: 4, input: 0, output: 1 }]], '1,0': [[receive(4, 1)]] };
    const run = trace(programOf({ width: 2, routes, streams: [streamOf(4, 0)], threads }), WSE2);
    expect(run.left(0, 0, 0)).toEqual([1, 2, 3, 4]);
    expect(run.left(0, 0, 1)).toEqual([6, 7, 8, 9]);
  });

  test('a wavelet that cannot move holds no port', () => {
    // Color 0 goes to both cores and waits for the one in the east; color 1 goes on down the same ramp.
    const routes: Route[] = [...eastward(0, [0, 1]), { x: 0, y: 0, color: 1, from: PORT.N, to: [PORT.R] }];
    const streams = [streamOf(8, 0), streamOf(8, 1, { port: PORT.N })];
    const threads = { '0,0': [[receive(8, 1), receive(8, 0)]], '1,0': [[busy(40), receive(8, 0)]] };
    const run = trace(programOf({ width: 2, routes, streams, threads }), { ...WSE2, inputQueue: 2, routerBuffer: 2 });
    // The queue of color 0 at column 0 is full from cycle 2 on; color 1 then passes one a cycle as its queue allows.
    expect(run.left(0, 0, 0).slice(0, 2)).toEqual([1, 2]);
    expect(run.left(0, 0, 1).slice(0, 2)).toEqual([3, 4]);
    expect(run.left(0, 0, 0)[2]).toBeGreaterThan(run.left(0, 0, 1)[7]);
  });
});

describe('the edge', () => {
  test.each<[number, number]>([
    [1, 1],
    [7, 3],
    [96, 44],
    [5, 2],
  ])('wavelet k enters in cycle ceil(k * %i/%i)', (numerator, denominator) => {
    const run = stream(WSE2, { wavelets: 12, gap: [numerator, denominator] });
    const due = from(0, 12).map((k) => Math.ceil((k * numerator) / denominator));
    expect(run.entered(0, 0, 0)).toEqual(due);
    expect(due.map((_, k) => dueTime(k, numerator, denominator))).toEqual(due);
  });

  test('a late stream catches up at one a cycle and then keeps its due times', () => {
    const away = 60;
    const run = stream(WSE2, { wavelets: 30, away, gap: [3, 1] });
    // Eight fit behind the stalled core. It takes one in cycle 60; ramp and edge feel it a cycle later each.
    expect(run.entered(0, 0, 0).slice(0, 8)).toEqual(from(0, 8, 3));
    expect(run.entered(0, 0, 0).slice(8, 28)).toEqual(from(62, 20));
    expect(run.entered(0, 0, 0).slice(27)).toEqual([3 * 27, 3 * 28, 3 * 29]);
  });

  test('what enters in cycle t can leave the edge router in t + 1', () => {
    const run = stream(WSE2, { wavelets: 3, gap: [5, 1] });
    expect(run.left(0, 0, 0)).toEqual([1, 6, 11]);
  });
});

const alone = (threads: Instruction[][], semaphores = 0) =>
  trace(programOf({ width: 1, threads: { '0,0': threads }, semaphores }), WSE2);

/** An instruction of two items on column 0, one wavelet every eight cycles. */
const fed = (instruction: Instruction) => {
  const streams = [streamOf(instruction.input === undefined ? 2 : 4, 0, { gapNumerator: 8 })];
  return trace(programOf({ width: 1, routes: eastward(0, [0]), streams, threads: { '0,0': [[instruction]] } }), WSE2);
};

describe('cores', () => {
  test('one slot a cycle goes to the first thread that can use it', () => {
    const run = alone([[busy(3)], [busy(2)], [busy(4)]]);
    expect(run.slots(0, 0, 0)).toEqual([0, 1, 2]);
    expect(run.slots(0, 0, 1)).toEqual([3, 4]);
    expect(run.slots(0, 0, 2)).toEqual([5, 6, 7, 8]);
    expect(run.cycles).toBe(9);
  });

  test('a semaphore given in cycle t is seen in t + 1, by a higher and by a lower thread', () => {
    const higher = alone([[{ slots: 1, take: 0 }], [{ slots: 4, give: 0 }, busy(3)]], 1);
    expect(higher.slots(0, 0, 1)).toEqual([0, 1, 2, 3, 5, 6, 7]);
    expect(higher.slots(0, 0, 0)).toEqual([4]);
    const lower = alone([[{ slots: 4, give: 0 }], [{ slots: 2, take: 0 }]], 1);
    expect(lower.slots(0, 0, 1)).toEqual([4, 5]);
  });

  test('a semaphore is given with the last slot of the last item and taken with the first of the first', () => {
    const run = alone([[{ slots: 1, take: 0 }], [{ slots: 2, repeat: 3, give: 0 }, busy(1)]], 1);
    expect(run.slots(0, 0, 0)).toEqual([6]);
    const counted = alone([[{ slots: 2, repeat: 3, take: 0 }], [{ slots: 1, give: 0 }]], 1);
    expect(counted.slots(0, 0, 0)).toEqual(from(1, 6));
  });

  test('preempted slots go on where they stopped', () => {
    const routes = eastward(0, [0]);
    const streams = [streamOf(2, 0, { gapNumerator: 4 })];
    const threads = { '0,0': [[receive(2, 0)], [{ slots: 10 }]] };
    const run = trace(programOf({ width: 1, routes, streams, threads }), WSE2);
    expect(run.slots(0, 0, 0)).toEqual([3, 7]);
    expect(run.slots(0, 0, 1)).toEqual([0, 1, 2, 4, 5, 6, 8, 9, 10, 11]);
  });

  test('a triggered item waits for its wavelet with its first slot, overhead included', () => {
    const run = fed({ slots: 2, overhead: 3, repeat: 2, trigger: 0 });
    expect(run.slots(0, 0, 0)).toEqual([...from(3, 5), ...from(11, 5)]);
    expect(run.core(0, 0).map(({ cause }) => cause)).toEqual(
      ['waitPartial 3', 'overhead 3', 'compute 2', 'waitPartial 3', 'overhead 3', 'compute 2'].flatMap((run) => {
        const [cause, count] = run.split(' ');
        return Array.from({ length: Number(count) }, () => cause);
      }),
    );
  });

  test('an instruction with a fabric operand needs it for its element slots, not for its overhead', () => {
    const run = fed({ slots: 2, overhead: 3, repeat: 2, input: 0 });
    expect(run.slots(0, 0, 0)).toEqual([0, 1, 2, 3, 11, 12, 13, 14, 19, 27]);
    expect(run.taken(0, 0, 0)).toEqual([3, 11, 19, 27]);
  });

  test('an instruction that reads and writes needs both in the same cycle', () => {
    const routes = [...eastward(0, [0]), ...eastward(1, [1], { from: PORT.R })];
    const threads = { '0,0': [[{ slots: 5, input: 0, output: 1 }]], '1,0': [[busy(30), receive(5, 1)]] };
    const program = programOf({ width: 2, routes, streams: [streamOf(5, 0)], threads });
    const run = trace(program, { ...WSE2, outputQueue: 1, routerBuffer: 1, inputQueue: 1 });
    expect(run.slots(0, 0, 0)).toEqual(run.taken(0, 0, 0));
    expect(run.slots(0, 0, 0)).toEqual(run.entered(0, 0, 1));
    expect(run.slots(0, 0, 0).filter((t) => t < 30)).toHaveLength(3);
  });

  test('a run ends with its last slot', () => {
    expect(alone([[busy(5)]]).cycles).toBe(5);
    expect(alone([[{ slots: 1, repeat: 3, overhead: 2 }]]).cycles).toBe(9);
  });
});

const causesOf = (threads: Instruction[][], semaphores = 0) => {
  const routes = eastward(0, [0]);
  const streams = [streamOf(1, 0, { control: new Uint8Array(1) })];
  const program = programOf({ width: 1, routes, streams, threads: { '0,0': threads }, semaphores, edgeColors: [0] });
  return trace(program, WSE2)
    .core(0, 0)
    .map(({ cause }) => cause);
};

describe('where cycles go', () => {
  test('a semaphore is looked at before the wavelet', () => {
    const causes = causesOf([[{ slots: 1, cause: CAUSE.reduce, give: 0, trigger: 0 }], [{ slots: 1, take: 0 }]], 1);
    expect(causes).toEqual(['waitThread', 'waitThread', 'waitThread', 'reduce', 'compute']);
  });

  test('a cycle without a slot counts for the main thread, then for those above it', () => {
    // Main is finished after two slots; what the reduce thread still waits for are weights.
    const causes = causesOf([[{ slots: 1, trigger: 0 }], [busy(2)]]);
    expect(causes).toEqual(['compute', 'compute', 'waitWeights', 'compute']);
  });

  test('wavelets of colors that do not come from the edge are partial sums', () => {
    const run = sender(WSE2, { wavelets: 1 });
    expect(run.core(1, 0).map(({ cause }) => cause)).toEqual([
      ...Array.from({ length: 6 }, () => 'waitPartial'),
      'compute',
    ]);
  });

  test('after its last thread a core is done', () => {
    const run = sender(WSE2, { wavelets: 1 });
    expect(run.core(0, 0).map(({ cause }) => cause)).toEqual(['compute', ...Array.from({ length: 6 }, () => 'done')]);
  });

  test('the list of causes and their numbers agree', () => {
    expect(CAUSES.map((name) => CAUSE[name])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
