// Every law that a run asserts is once shown broken: deadlock ends with exit 4, a broken law with exit 5, and a program
// that says what no machine can do is refused before it runs.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { EmulateError, EXIT } from '../../../emulator/errors.ts';
import { assertCauses } from '../../../emulator/laws.ts';
import { CAUSE, CAUSE_COUNT } from '../../../emulator/program/causes.ts';
import { type FabricProgram, PORT } from '../../../emulator/program/fabric.ts';
import { decode, startThreads, stepCores } from '../../../emulator/stepped/cores.ts';
import { runStepped } from '../../../emulator/stepped/engine.ts';
import { timingOnly } from '../../../emulator/stepped/cut.ts';
import { PUSHED } from '../../../emulator/stepped/layout.ts';
import { load, type State } from '../../../emulator/stepped/load.ts';
import { stepRouters } from '../../../emulator/stepped/routers.ts';
import { runDataflow } from '../../../emulator/streamed/dataflow.ts';
import { runInTurn } from '../../fixtures/bands.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { plantInPipes } from '../../fixtures/plantedFaults.ts';
import { eastward, programOf, streamOf } from '../../fixtures/program.ts';

function failure(run: () => unknown): { code: number; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof EmulateError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** One core sends `wavelets` before the one that the other takes first. */
const crossed = (wavelets: number): FabricProgram =>
  programOf({
    width: 2,
    routes: [...eastward(0, [1], { from: PORT.R }), ...eastward(1, [1], { from: PORT.R })],
    threads: {
      '0,0': [
        [
          { slots: wavelets, output: 0 },
          { slots: 1, output: 1 },
        ],
      ],
      '1,0': [
        [
          { slots: 1, input: 1 },
          { slots: wavelets, input: 0 },
        ],
      ],
    },
  });

describe('deadlock', () => {
  test('two cores that each wait for the other before they send', () => {
    const program = programOf({
      width: 2,
      routes: [
        ...eastward(0, [1], { from: PORT.R }),
        { x: 1, y: 0, color: 1, from: PORT.R, to: [PORT.W] },
        { x: 0, y: 0, color: 1, from: PORT.E, to: [PORT.R] },
      ],
      threads: {
        '0,0': [
          [
            { slots: 1, input: 1 },
            { slots: 1, output: 0 },
          ],
        ],
        '1,0': [
          [
            { slots: 1, input: 0 },
            { slots: 1, output: 1 },
          ],
        ],
      },
    });
    const { code, message } = failure(() => runStepped(program, WSE2));
    expect(code).toBe(EXIT.deadlock);
    expect(message).toContain('2 threads are unfinished: PE (0,0) waitPartial, PE (1,0) waitPartial');
    expect(runDataflow(program, WSE2)).toBeUndefined();
  });

  test('buffers too small for what is sent before anything is taken', () => {
    // Output queue, one router, input queue.
    const holds = WSE2.outputQueue + WSE2.routerBuffer + WSE2.inputQueue;
    expect(runStepped(crossed(holds), WSE2).cycles).toBeGreaterThan(0);
    const { code, message } = failure(() => runStepped(crossed(holds + 1), WSE2));
    expect(code).toBe(EXIT.deadlock);
    expect(message).toContain('PE (0,0) waitCredit, PE (1,0) waitPartial');
  });

  test('a semaphore that nobody gives', () => {
    const program = programOf({
      width: 1,
      threads: { '0,0': [[{ slots: 1, take: 0 }], [{ slots: 3 }]] },
      semaphores: 1,
    });
    const { code, message } = failure(() => runStepped(program, WSE2));
    expect(code).toBe(EXIT.deadlock);
    expect(message).toContain('deadlock in test in cycle 3');
    expect(message).toContain('PE (0,0) waitThread');
  });
});

/** A stream of `wavelets` to a core that takes `taken`. */
const fed = (wavelets: number, taken: number, control = 0, gap = 1): FabricProgram =>
  programOf({
    width: 1,
    routes: eastward(0, [0]),
    streams: [streamOf(wavelets, 0, { control: new Uint8Array(wavelets).fill(control), gapNumerator: gap })],
    threads: { '0,0': [[{ repeat: taken, slots: 1, trigger: 0 }]] },
  });

describe('a law broken by a program', () => {
  test('a wavelet is left over', () => {
    expect(runStepped(fed(3, 3), WSE2).cycles).toBe(6);
    const { code, message } = failure(() => runStepped(fed(4, 3), WSE2));
    expect(code).toBe(EXIT.lawBroken);
    expect(message).toContain(
      'wavelets in = out: 1 of color 0 left in the input queue of PE (0,0); no result is reported',
    );
    expect(runDataflow(fed(3, 3), WSE2)?.cycles).toBe(6);
    expect(runDataflow(fed(4, 3), WSE2)).toBeUndefined();
  });

  test('a wavelet of a stream never enters', () => {
    const { code, message } = failure(() => runStepped(fed(5, 3, 0, 100), WSE2));
    expect(code).toBe(EXIT.lawBroken);
    expect(message).toContain('2 of the stream at (0,0) never enter (color 0)');
    expect(runDataflow(fed(5, 3, 0, 100), WSE2)).toBeUndefined();
  });

  test('a core takes a wavelet with the wrong control bit', () => {
    const { code, message } = failure(() => runStepped(fed(3, 3, 1), WSE2));
    expect(code).toBe(EXIT.lawBroken);
    expect(message).toContain('PE (0,0) takes a wavelet of the wrong kind in cycle 3, of color 0');
    expect(runDataflow(fed(3, 3, 1), WSE2)).toBeUndefined();
  });
});

describe('a law that only a defect of the engine can break', () => {
  const program = programOf({
    width: 2,
    routes: eastward(0, [1], { from: PORT.R }),
    threads: { '0,0': [[{ slots: 2, output: 0 }]], '1,0': [[{ slots: 2, input: 0 }]] },
  });

  /** The state with every thread decoded. */
  const started = (): { state: State; threads: ReturnType<typeof startThreads> } => {
    const state = load(program, WSE2);
    const threads = startThreads(state);
    for (let th = 0; th < threads.pe.length; th++) decode(state, threads, th);
    return { state, threads };
  };

  test('two wavelets on one link in one cycle', () => {
    const { state, threads } = started();
    const [fromCore, router] = state.pipes.pipes;
    stepCores(state, threads, 0);
    expect(state.pipes.words[fromCore + PUSHED]).toBe(0);
    state.pipes.words[router + PUSHED] = 3;
    const { code, message } = failure(() => stepRouters(state, 3));
    expect(code).toBe(EXIT.lawBroken);
    expect(message).toContain('two wavelets on one link out of PE (0,0) in cycle 3');
  });

  test('two wavelets sent by one core in one cycle', () => {
    const { state, threads } = started();
    state.pipes.words[state.pipes.pipes[0] + PUSHED] = 0;
    expect(failure(() => stepCores(state, threads, 0)).message).toContain('PE (0,0) sends two wavelets in cycle 0');
  });

  test.each([
    ['one too many', 9, 'slots + stalls of PE (1,0) are 81, cycles are 80'],
    ['less than none', -1, 'PE (1,0) has -1 cycles of reduce, allowed 0 or more'],
    ['no number', Number.NaN, 'PE (1,0) has NaN cycles of reduce'],
  ])('the causes of a PE do not add up to the cycles: %s', (_, count, message) => {
    const counts = { cycles: 80, where: Float64Array.from({ length: 2 * CAUSE_COUNT }, () => 10) };
    const check = () => assertCauses('test', counts, (pe) => `PE (${pe},0)`);
    expect(check).not.toThrow();
    counts.where[CAUSE_COUNT + CAUSE.reduce] = count === 9 ? 11 : count;
    expect(failure(check)).toMatchObject({
      code: EXIT.lawBroken,
      law: 'causes',
      message: expect.stringContaining(message),
    });
  });
});

/** Five wavelets from a core to two others, as a multicast, and back from the last to the first. */
const multicast = programOf({
  width: 3,
  height: 2,
  routes: [
    ...eastward(0, [1, 2], { from: PORT.R }),
    { x: 2, y: 0, color: 1, from: PORT.R, to: [PORT.S] },
    { x: 2, y: 1, color: 1, from: PORT.N, to: [PORT.R] },
  ],
  threads: {
    '0,0': [[{ slots: 5, output: 0 }]],
    '1,0': [[{ repeat: 5, slots: 3, trigger: 0 }]],
    '2,0': [[{ slots: 5, input: 0, output: 1 }]],
    '2,1': [[{ slots: 5, input: 1 }]],
  },
});

describe('a wavelet that the engine loses or doubles', () => {
  const engines: readonly (readonly [string, () => unknown])[] = [
    ['stepped', () => runStepped(multicast, WSE2)],
    ['in bands', () => runInTurn(timingOnly(multicast), WSE2, [0, 1])],
    [
      'by time stamps, which hand what does not end to the stepped engine',
      () => runDataflow(multicast, WSE2) ?? runStepped(multicast, WSE2),
    ],
  ];
  afterEach(() => vi.restoreAllMocks());

  test.each(engines)('%s', (_, run) => {
    expect(run()).toMatchObject({ cycles: expect.any(Number) });
    for (const fault of ['lost', 'doubled'] as const)
      for (let n = 1; n <= 20; n++) {
        plantInPipes(fault, (call) => call === n);
        expect(failure(run), `${fault} ${n}`).toMatchObject({ code: EXIT.lawBroken, law: 'wavelets' });
        vi.restoreAllMocks();
      }
  });
});

const refusal = (parts: Parameters<typeof programOf>[0]): string => {
  const { code, message } = failure(() => load(programOf(parts), WSE2));
  expect(code).toBe(EXIT.defect);
  return message;
};

describe('refused before it runs', () => {
  test('two routes of one color at one router', () => {
    expect(refusal({ width: 1, routes: [...eastward(3, [0]), ...eastward(3, [0])] })).toContain(
      'two routes of color 3 at 0,0',
    );
  });

  test('a route that leaves the rectangle, to no route, or to one that comes from elsewhere', () => {
    const leaves = { x: 0, y: 0, color: 1, from: PORT.R, to: [PORT.E] };
    expect(refusal({ width: 1, routes: [leaves] })).toContain('color 1 leaves 0,0 by E to no route');
    expect(refusal({ width: 2, routes: [leaves] })).toContain('color 1 leaves 0,0 by E to no route');
    const elsewhere = { x: 1, y: 0, color: 1, from: PORT.N, to: [PORT.R] };
    expect(refusal({ width: 2, routes: [leaves, elsewhere] })).toContain('color 1 leaves 0,0 by E to no route');
  });

  test('a route that turns back or goes nowhere, outside, or of a color that does not exist', () => {
    const route = { x: 0, y: 0, color: 1, from: PORT.W };
    expect(refusal({ width: 1, routes: [{ ...route, to: [PORT.W] }] })).toContain('color 1 turns back');
    expect(refusal({ width: 1, routes: [{ ...route, to: [] }] })).toContain('color 1 turns back');
    expect(refusal({ width: 1, routes: [{ ...route, x: 1, to: [PORT.R] }] })).toContain('route outside at 1,0');
    expect(refusal({ width: 1, routes: [{ ...route, color: 64, to: [PORT.R] }] })).toContain('color 64');
  });

  test('a stream where no route takes it, inside the rectangle, or beside another', () => {
    expect(refusal({ width: 1, streams: [streamOf(1, 0)] })).toContain('stream of color 0 enters 0,0');
    expect(refusal({ width: 1, routes: eastward(0, [0]), streams: [streamOf(1, 0, { port: PORT.N })] })).toContain(
      'stream of color 0 enters 0,0',
    );
    const inner = { x: 1, y: 0, color: 0, from: PORT.W, to: [PORT.R] };
    expect(refusal({ width: 2, routes: [inner], streams: [streamOf(1, 0, { x: 1 })] })).toContain(
      'stream of color 0 enters 1,0',
    );
    const both = {
      width: 1,
      routes: [...eastward(0, [0]), ...eastward(1, [0])],
      streams: [streamOf(1, 0), streamOf(1, 1)],
    };
    expect(refusal(both)).toContain('two streams enter by one port');
  });

  test('an instruction with a color that no route brings to the core or takes from it', () => {
    const routes = eastward(0, [0]);
    for (const operand of [{ input: 1 }, { trigger: 1 }, { output: 0 }])
      expect(refusal({ width: 1, routes, threads: { '0,0': [[{ slots: 1, ...operand }]] } })).toContain(
        'PE 0 uses a color',
      );
  });
});
