// Deadlock is said where nothing can move and something is unfinished, and only there; and the message follows the waits
// from thread to buffer to thread, round the circle or to what will never come. One thread and bands say the same.

import { expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../../emulator/errors.ts';
import { type FabricProgram, PORT } from '../../../emulator/program/fabric.ts';
import type { Instruction } from '../../../emulator/program/instruction.ts';
import { columnOf, ringRoutes, sendColor } from '../../../emulator/program/ring.ts';
import { evenBands, timingOnly } from '../../../emulator/stepped/cut.ts';
import { runStepped } from '../../../emulator/stepped/engine.ts';
import { runDataflow, whyNotDataflow } from '../../../emulator/streamed/dataflow.ts';
import { runInTurn } from '../../fixtures/bands.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { eastward, programOf, streamOf } from '../../fixtures/program.ts';

/** The lines of the deadlock of a program, after bands and time stamps have been seen to come to the same. */
function story(program: FabricProgram): string[] {
  const found = [1, 2, 4].map((bands) => {
    try {
      if (bands === 1) runStepped(program, WSE2);
      else runInTurn(timingOnly(program), WSE2, evenBands(program.height, bands));
    } catch (error) {
      if (error instanceof EmulateError && error.code === EXIT.deadlock) return error.message;
      throw error;
    }
    throw new Error('no deadlock');
  });
  expect(new Set(found).size).toBe(1);
  if (whyNotDataflow(program) === undefined) expect(runDataflow(program, WSE2)).toBeUndefined();
  return found[0].split('\n');
}

/** A ring of `size` PEs down a column, each of which sends `wavelets` before it takes as many. */
const ring = (size: number, wavelets: number): FabricProgram =>
  programOf({
    width: 1,
    height: size,
    routes: ringRoutes(size, 0, 0, 0, 'column'),
    threads: Object.fromEntries(
      Array.from({ length: size }, (_, p) => [
        `0,${columnOf(p, size)}`,
        [
          [
            { slots: wavelets, output: sendColor(p, size) },
            { slots: wavelets, input: sendColor((p + size - 1) % size, size) },
          ],
        ],
      ]),
    ),
  });

test('two PEs, each of which takes before it sends', () => {
  const each: Instruction[][] = [0, 1].map((x) => [
    { slots: 1, input: 1 - x },
    { slots: 1, output: x },
  ]);
  const program = programOf({
    width: 2,
    routes: [
      ...eastward(0, [1], { from: PORT.R }),
      { x: 1, y: 0, color: 1, from: PORT.R, to: [PORT.W] },
      { x: 0, y: 0, color: 1, from: PORT.E, to: [PORT.R] },
    ],
    threads: { '0,0': [each[0]], '1,0': [each[1]] },
  });
  expect(story(program)).toEqual([
    'deadlock in test in cycle 0: nothing can move and 2 threads are unfinished: PE (0,0) waitPartial, PE (1,0) waitPartial',
    'a circle of waiting:',
    '  PE (0,0) main thread (instruction 1 of 2) waits for a wavelet of color 1, its input queue is empty',
    '  to send it: PE (1,0) main thread (instruction 1 of 2) waits for a wavelet of color 0, its input queue is empty',
    '  to send it: back to PE (0,0) main thread (instruction 1 of 2)',
  ]);
});

test('a ring whose buffers are full', () => {
  // At a turn one router lies between two cores.
  const fewest = WSE2.outputQueue + WSE2.routerBuffer + WSE2.inputQueue;
  expect(runStepped(ring(3, fewest), WSE2).cycles).toBeGreaterThan(0);
  const lines = story(ring(3, 40));
  expect(lines.slice(0, 6)).toEqual([
    'deadlock in test in cycle 16: nothing can move and 3 threads are unfinished: PE (0,0) waitCredit, PE (0,1) waitCredit, PE (0,2) waitCredit',
    'a circle of waiting:',
    '  PE (0,0) main thread (instruction 1 of 2) waits for a credit of its output queue of color 0',
    '  to make room: output queue of PE (0,0), color 0 (6 of 6 wavelets) waits for a credit of the router buffer of port N of PE (0,1)',
    '  to make room: router buffer of port N of PE (0,1), color 0 (2 of 2 wavelets) waits for a credit of the router buffer of port N of PE (0,2)',
    '  to make room: router buffer of port N of PE (0,2), color 0 (2 of 2 wavelets) waits for a credit of the input queue of PE (0,2), color 0 (6 of 6 wavelets)',
  ]);
  expect(lines.at(-1)).toBe('  to make room: back to PE (0,0) main thread (instruction 1 of 2)');
  // Three cores, three output queues, a router buffer each and one more where two hops are.
  expect(lines).toHaveLength(2 + 3 + 3 + 4 + 1);
});

test('of a long circle the middle is left out', () => {
  const lines = story(ring(40, 60));
  expect(lines.filter((line) => /^ {2}\.\.\. \d+ more$/.test(line))).toHaveLength(1);
  expect(lines.length).toBeLessThan(60);
  expect(lines.at(-1)).toBe('  to make room: back to PE (0,0) main thread (instruction 1 of 2)');
});

test('a semaphore that nobody gives, and one that is given by who waits itself', () => {
  const never = programOf({ width: 1, threads: { '0,0': [[{ slots: 1, take: 0 }], [{ slots: 3 }]] }, semaphores: 1 });
  expect(story(never)).toEqual([
    'deadlock in test in cycle 3: nothing can move and 1 thread is unfinished: PE (0,0) waitThread',
    'waiting for what never comes:',
    '  PE (0,0) thread 1 of 2 (instruction 1 of 1) waits for semaphore 0',
    '  to give it: nobody, no thread of the PE gives it any more',
  ]);
  const crossed = [0, 1].map((s) => [{ slots: 1, take: s, give: 1 - s }]);
  expect(story(programOf({ width: 1, threads: { '0,0': crossed }, semaphores: 2 })).slice(1)).toEqual([
    'a circle of waiting:',
    '  PE (0,0) thread 1 of 2 (instruction 1 of 1) waits for semaphore 0',
    '  to give it: PE (0,0) main thread (instruction 1 of 1) waits for semaphore 1',
    '  to give it: back to PE (0,0) thread 1 of 2 (instruction 1 of 1)',
  ]);
});

test.each([
  ['a stream that has ended', { streams: [streamOf(3, 0)] }, 'the stream into PE (0,0) has ended'],
  ['a port by which nothing enters', {}, 'no stream enters PE (0,0)'],
])('%s', (_, parts, why) => {
  const program = programOf({
    width: 2,
    routes: eastward(0, [1]),
    threads: { '1,0': [[{ repeat: 4, slots: 1, trigger: 0 }]] },
    ...parts,
  });
  expect(story(program).at(-1)).toBe(`  to send it: nobody, ${why}`);
});

/** The first core sends `sent` wavelets down the rows; the last one takes `taken`. */
const southward = (sent: number, taken: number): FabricProgram =>
  programOf({
    width: 1,
    height: 4,
    routes: [
      { x: 0, y: 0, color: 0, from: PORT.R, to: [PORT.S] },
      ...[1, 2].map((y) => ({ x: 0, y, color: 0, from: PORT.N, to: [PORT.S] })),
      { x: 0, y: 3, color: 0, from: PORT.N, to: [PORT.R] },
    ],
    threads: { '0,0': [[{ slots: sent, output: 0 }]], '0,3': [[{ slots: taken, input: 0 }]] },
  });

test('a core that has sent all, and a queue that nobody takes from', () => {
  expect(story(southward(5, 6)).at(-1)).toBe('  to send it: nobody, no thread of PE (0,0) sends any more');
  const full = story(southward(40, 6));
  expect(full.at(-2)).toContain('waits for a credit of the input queue of PE (0,3), color 0 (6 of 6 wavelets)');
  expect(full.at(-1)).toBe('  to make room: nobody, no thread of the PE takes from it any more');
});

test('a circle is told before a chain that only leads to an end', () => {
  const [first, second] = [ring(3, 40), streamOf(0, 9)];
  expect(second.control).toHaveLength(0);
  const program = programOf({
    width: 2,
    height: 3,
    routes: [
      { x: 0, y: 0, color: 9, from: PORT.W, to: [PORT.R] },
      ...first.routes.map((route) => ({ ...route, x: 1 })),
    ],
    threads: { '0,0': [[{ slots: 1, input: 9 }]] },
  });
  const cores = program.cores.map((core, pe) => (pe % 2 === 1 ? first.cores[pe >> 1] : core));
  expect(story({ ...program, cores })[1]).toBe('a circle of waiting:');
});

test('a wavelet on its way is no deadlock, nor is a stream that is not due', () => {
  const late = programOf({
    width: 1,
    routes: eastward(0, [0]),
    streams: [streamOf(3, 0, { gapNumerator: 5000 })],
    threads: { '0,0': [[{ repeat: 3, slots: 1, trigger: 0 }]] },
  });
  expect(runStepped(late, WSE2).cycles).toBe(10_004);
});
