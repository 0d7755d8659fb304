// A broken law, from the command line: exit code 5, no report, and a file with a small case that breaks it again. Faults are
// planted where a defect of an engine would be, on each way to the counts; the work is done in this thread, where they are.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../emulator/errors.ts';
import { lawBroken } from '../../emulator/laws.ts';
import { evenBands } from '../../emulator/stepped/cut.ts';
import type { LookaheadState } from '../../emulator/streamed/lookahead/state.ts';
import type { RowState } from '../../emulator/streamed/rowState.ts';
import { WSE2 } from '../fixtures/machines.ts';
import { plantInPipes } from '../fixtures/plantedFaults.ts';
import { emulate, folderWith, tinyModel } from './emulated.ts';

const planted = vi.hoisted(() => ({
  row: (_state: RowState): void => undefined,
  lookahead: (_state: LookaheadState): void => undefined,
  bands: (): void => undefined,
}));

vi.mock('../../emulator/streamed/wasmRow.ts', async (original) => {
  const real = await original<typeof import('../../emulator/streamed/wasmRow.ts')>();
  return {
    ...real,
    runWasmRow: (state: Parameters<typeof real.runWasmRow>[0]) => {
      const isDone = real.runWasmRow(state);
      planted.row(state);
      return isDone;
    },
    runWasmTokens: (state: Parameters<typeof real.runWasmTokens>[0]) => {
      real.runWasmTokens(state);
      planted.row(state);
    },
  };
});

vi.mock('../../emulator/streamed/lookahead/wasm.ts', async (original) => {
  const real = await original<typeof import('../../emulator/streamed/lookahead/wasm.ts')>();
  return {
    ...real,
    runWasmLookahead: (state: Parameters<typeof real.runWasmLookahead>[0]) => {
      real.runWasmLookahead(state);
      planted.lookahead(state);
    },
  };
});

vi.mock('../../cli/kernel/inWorker.ts', async () => {
  const { timingsHere } = await import('../fixtures/inThisThread.ts');
  return { timings: timingsHere };
});

vi.mock('../../run/timer.ts', async (original) => {
  const real = await original<typeof import('../../run/timer.ts')>();
  const { timerHere } = await import('../fixtures/inThisThread.ts');
  return { ...real, pooledTimer: timerHere };
});

vi.mock('../../run/bandPool.ts', async (original) => {
  const real = await original<typeof import('../../run/bandPool.ts')>();
  const { runInTurn } = await import('../fixtures/bands.ts');
  const run: ReturnType<typeof real.openBands>['run'] = async (program, latencies) => {
    planted.bands();
    return runInTurn(program, latencies, evenBands(program.height, 2));
  };
  return { ...real, openBands: () => ({ run, close: () => Promise.resolve() }) };
});

afterEach(() => {
  planted.row = () => undefined;
  planted.lookahead = () => undefined;
  planted.bands = () => undefined;
  vi.restoreAllMocks();
});

/** Runs a command line that must break a law, and again what it leaves; returns the message and the case. */
async function brokenTwice(
  argv: readonly string[],
): Promise<{ err: string; smallest: Record<string, unknown>; bytes: number }> {
  const folder = folderWith();
  const json = join(folder, 'report.json');
  const { code, out, err } = await emulate([...argv, '--json', json]);
  expect(code, err).toBe(EXIT.lawBroken);
  expect(out).toBe('');
  expect(existsSync(json)).toBe(false);
  const files = readdirSync(folder);
  expect(files).toHaveLength(1);
  expect(files[0]).toMatch(/^law-[\w.-]+-[0-9a-f]{8}\.json$/);
  const command = / it breaks the law again with: emulate (.*)$/m.exec(err)?.[1].split(' ') ?? [];
  expect(command).toContain(join(folder, files[0]));
  const again = await emulate([...command, '--json', join(folder, 'again.json')]);
  expect({ code: again.code, out: again.out }).toEqual({ code: EXIT.lawBroken, out: '' });
  expect(lawOf(again.err)).toBe(lawOf(err));
  const text = readFileSync(join(folder, files[0]), 'utf8');
  return { err, smallest: JSON.parse(text), bytes: text.length };
}

/** Names and numbers left out. */
function lawOf(err: string): string {
  return err.split('\n')[0].replace(/-?[\d.]+|PE \(.*?\)|color/g, '#');
}

const matmul = 'kernel spmm --cols 12 --in 300 --out 60 --tokens 64 --sparsity 0.5'.split(' ');
const short = 'kernel spmm --cols 12 --in 300 --out 60 --tokens 4 --sparsity 0.5'.split(' ');

/** A matmul whose weights come late. */
const late = {
  kernel: 'spmm',
  machine: WSE2,
  rows: 1,
  cols: 6,
  tokens: 40,
  nnz: Array.from({ length: 20 }, () => [1, 1, 0, 2, 1, 1]),
  accumulators: 3,
  gap: [40, 1],
  axpyOverhead: 5,
  controlSlots: 1,
  simd: 4,
  psumPerWavelet: 2,
};

/** Two layers of 64 features. */
function model(): string {
  return join(folderWith({ 'model.json': tinyModel }), 'model.json');
}

const smallestMatmul = { kernel: 'spmm', rows: 1, cols: 1, tokens: expect.any(Number), accumulators: 1, nnz: [[0]] };

describe('emulate kernel spmm', () => {
  test.each([
    ['closed form', 1, () => matmul],
    ['token level', 40, () => ['kernel', '--spec', join(folderWith({ 'late.json': late }), 'late.json')]],
  ])('by %s: a weight that is not taken', async (path, gap, argv) => {
    planted.row = ({ token, shape }) => void (token[0] -= shape.gap[0] === gap * shape.gap[1] ? 1 : 0);
    const { err, smallest } = await brokenTwice(argv());
    expect(err).toMatch(`law broken in spmm, ${path}: wavelets in = out of the weights of PE (0,0)`);
    expect(smallest).toMatchObject(smallestMatmul);
  });

  test('by closed form: causes that do not add up once a feature has two weights', async () => {
    planted.row = ({ mainFree, shape: { nnz } }) => {
      if (nnz.some((count) => count > 1)) mainFree[0] += 1e6;
    };
    const { err, smallest } = await brokenTwice(matmul);
    expect(err).toMatch('slots + stalls of PE (0,0), ring position 0, are');
    expect(smallest).toMatchObject({ ...smallestMatmul, nnz: [[2]] });
  });

  test('by looking ahead: a partial sum that is not taken', async () => {
    planted.lookahead = ({ taken, shape: { cols } }) => {
      if (cols > 2) taken[1]--;
    };
    const { err, smallest } = await brokenTwice(short);
    expect(err).toMatch('law broken in spmm, lookahead: wavelets in = out of the partial sums of PE');
    expect(smallest).toMatchObject({ cols: 3, tokens: 1, accumulators: 1, nnz: [[0, 0, 0]] });
  });

  test.each([
    ['stepped', [...matmul, '--engine', 'stepped']],
    ['stepped in bands', [...short, '--rows', '60', '--engine', 'stepped', '--workers', '2']],
  ])('%s: a weight that is lost, so that a control wavelet is taken for one', async (_, argv) => {
    plantInPipes('lost', (_call, cycle) => cycle === 1);
    const { err, bytes } = await brokenTwice(argv);
    expect(err).toMatch(
      /^law broken in spmm: PE \(\d+,0\) takes a wavelet of the wrong kind in cycle \d+, of color 4; no/,
    );
    expect(bytes).toBeLessThan(700);
  });
});

test('what breaks in bands only is left as it is, with the workers that it takes', async () => {
  planted.bands = () => {
    throw lawBroken('spmm', 'link', 'two wavelets on one link out of PE (3,7) in cycle 9');
  };
  const { smallest, err } = await brokenTwice([...short, '--rows', '60', '--engine', 'stepped', '--workers', '2']);
  expect(smallest).toMatchObject({ rows: 60, cols: 12, tokens: 4 });
  expect(err).toMatch(/--engine stepped --workers 2$/m);
});

test('a point of a sweep leaves its case in the folder of the sweep, and no report', async () => {
  const folder = folderWith({ 'model.json': tinyModel });
  planted.row = ({ token, shape }) => void (token[0] -= shape.accumulators > 1 ? 1 : 0);
  const argv = ['sweep', join(folder, 'model.json'), '--vary', 'sparsity=0.5,0.75', '--set', 'workload.batch=32'];
  const { code, out, err } = await emulate([...argv, '--set', 'mapping.tokensPerPe=56', '--out', join(folder, 'out')]);
  expect(code).toBe(EXIT.lawBroken);
  expect(out).toContain('2 points');
  expect(err).toContain('2 of 2 points failed');
  const files = readdirSync(join(folder, 'out')).sort();
  expect(files).toEqual([expect.stringMatching(/^law-spmm-\w+\.json$/), 'results.csv', 'results.jsonl']);
  const again = await emulate([
    'kernel',
    '--spec',
    join(folder, 'out', files[0]),
    '--json',
    join(folder, 'again.json'),
  ]);
  expect(again).toMatchObject({ code: EXIT.lawBroken, out: '' });
});

describe('a line of PEs', () => {
  const line = 'kernel chainReduce --width 40 --wavelets 200'.split(' ');

  describe.each([
    ['by time stamps', line],
    ['stepped', [...line, '--engine', 'stepped']],
  ])('%s', (_, argv) => {
    test.each([
      ['lost', /wavelets in = out of color \d from the output queue of PE .* to PE .*: sent \d+, taken \d+; no/],
      ['doubled', /wavelets in = out of color \d from the output queue of PE .* to PE .*: sent \d+, taken \d+; no/],
      ['crowded', /two wavelets on one link out of PE \(\d+,0\) in cycle \d+; no/],
    ] as const)('a wavelet that is %s', async (fault, message) => {
      plantInPipes(fault, (_call, cycle) => cycle === 14);
      const { err, smallest } = await brokenTwice(argv);
      expect(err).toMatch(message);
      expect(smallest).toMatchObject({ kernel: 'chainReduce' });
      expect(Number(smallest.width)).toBeLessThan(5);
      expect(Number(smallest.wavelets)).toBeLessThan(20);
    });
  });
});

describe('emulate <model>', () => {
  test('a matmul by closed form', async () => {
    planted.row = ({ token }) => void token[0]--;
    const { smallest } = await brokenTwice([model(), '--set', 'mapping.tokensPerPe=56', '--set', 'workload.batch=32']);
    expect(smallest).toMatchObject(smallestMatmul);
  });

  test('another kernel, as a program', async () => {
    plantInPipes('lost', (_call, cycle) => cycle === 5);
    const { smallest, bytes } = await brokenTwice([model()]);
    expect(smallest).toMatchObject({ kernel: 'program', note: expect.stringContaining('"kernel":') });
    expect(bytes).toBeLessThan(20_000);
  });
});
