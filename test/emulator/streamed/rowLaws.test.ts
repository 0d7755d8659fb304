// Every law of a row that is not stepped, shown broken on every way to its counts: the state that the WebAssembly left is
// changed as a defect of it would, before anything is counted.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../../emulator/errors.ts';
import { type Law, LawError } from '../../../emulator/laws.ts';
import { CAUSE } from '../../../emulator/program/causes.ts';
import { columnSums, columnSumsPlain } from '../../../emulator/streamed/columnSums.ts';
import type { LookaheadState } from '../../../emulator/streamed/lookahead/state.ts';
import { lookaheadRow } from '../../../emulator/streamed/lookahead/row.ts';
import { closedRow, tokenRow } from '../../../emulator/streamed/row.ts';
import { lawfulRow } from '../../../emulator/streamed/rowLaws.ts';
import type { RowState } from '../../../emulator/streamed/rowState.ts';
import type { SpmmShape } from '../../../emulator/streamed/shape.ts';
import { ARENA_START, wasmKernels } from '../../../emulator/wasm/module.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { spmmCase } from '../../fixtures/spmmCases.ts';

/** What a test plants, in the state of a row of either kind. */
const planted = vi.hoisted(() => ({
  row: (_state: RowState): void => undefined,
  lookahead: (_state: LookaheadState): void => undefined,
}));

vi.mock('../../../emulator/streamed/wasmRow.ts', async (original) => {
  const real = await original<typeof import('../../../emulator/streamed/wasmRow.ts')>();
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

vi.mock('../../../emulator/streamed/lookahead/wasm.ts', async (original) => {
  const real = await original<typeof import('../../../emulator/streamed/lookahead/wasm.ts')>();
  return {
    ...real,
    runWasmLookahead: (state: Parameters<typeof real.runWasmLookahead>[0]) => {
      real.runWasmLookahead(state);
      planted.lookahead(state);
    },
  };
});

afterEach(() => {
  planted.row = () => undefined;
  planted.lookahead = () => undefined;
});

const shape: SpmmShape = {
  rows: 1,
  cols: 5,
  features: 13,
  tokens: 48,
  nnz: Uint16Array.from({ length: 65 }, (_, i) => (i * 7) % 4),
  accumulators: 3,
  gap: [3, 2],
  axpyOverhead: 5,
  controlSlots: 1,
  simd: 4,
  psumPerWavelet: 2,
  latencies: WSE2,
};

function brokenBy(run: () => unknown): LawError {
  try {
    run();
  } catch (error) {
    if (error instanceof LawError) return error;
    throw error;
  }
  throw new Error('no law was broken');
}

const rowFaults: readonly (readonly [string, Law, RegExp, (state: RowState) => void])[] = [
  [
    'a weight not taken',
    'wavelets',
    /weights of PE \(4,0\), ring position 2,: sent \d+, taken \d+/,
    ({ token }) => void token[2]--,
  ],
  ['a weight taken twice', 'wavelets', /weights of PE/, ({ token }) => void token[0]++],
  [
    'waits that went nowhere',
    'causes',
    /slots \+ stalls of PE \(2,0\), ring position 1, are/,
    ({ mainFree }) => void (mainFree[1] += 1000),
  ],
  [
    'more waits than there are cycles',
    'causes',
    /-\d+ cycles of waitThread/,
    ({ waitWeights }) => void (waitWeights[1] += 1e6),
  ],
  ['a run of fewer cycles than a link has wavelets', 'link', /carries \d+ wavelets, allowed one a cycle of/, shorten],
  [
    'a partial sum taken before it was sent',
    'link',
    /takes a partial sum before/,
    ({ firstLevel }) => void (firstLevel[1] -= 1000),
  ],
  ['two partial sums in one cycle', 'link', /two partial sums of ring position 2 in one cycle/, crowd],
];

/** As if every slot had been so much earlier that a link would have carried more than one a cycle, causes adding up. */
function shorten({ phiLast, reduceFrom, firstLevel, mainFree }: RowState): void {
  const by = Math.max(...phiLast) + 150;
  for (const bank of [phiLast, reduceFrom, firstLevel, mainFree]) for (let i = 0; i < bank.length; i++) bank[i] -= by;
}

/** A second piece of the latest staircase that lies below the first. */
function crowd({ pieceCount, pieceAt, pieceLevel, firstLevel, psums, shape: { cols, features } }: RowState): void {
  const cell = ((features - 1) % 3) * cols + 2;
  pieceCount[cell] = 2;
  pieceAt[cell * psums + 1] = 4;
  pieceLevel[cell * psums + 1] = firstLevel[cell] - 1;
}

describe.each([
  ['closed form', closedRow],
  ['token level', tokenRow],
])('%s', (name, run) => {
  test('keeps the laws as it is', () => expect(run(shape)?.cycles).toBeGreaterThan(0));

  test.each(rowFaults)('%s', (_, law, message, fault) => {
    planted.row = fault;
    const error = brokenBy(() => run(shape));
    expect(error).toMatchObject({ code: EXIT.lawBroken, law });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`law broken in spmm, ${name}`);
  });
});

const short: SpmmShape = { ...shape, tokens: 4 };

const lookaheadFaults: readonly (readonly [string, Law, RegExp, (state: LookaheadState) => void])[] = [
  ['a weight not taken', 'wavelets', /weights of PE \(4,0\)/, ({ token }) => void token[2]--],
  [
    'a partial sum not sent',
    'wavelets',
    /partial sums of PE .* on the link to the next: sent \d+, taken \d+/,
    ({ issued }) => void issued[3]--,
  ],
  ['a partial sum not taken', 'wavelets', /wavelets in = out of the partial sums/, ({ taken }) => void taken[3]--],
  ['waits that went nowhere', 'causes', /slots \+ stalls/, ({ lastSlot }) => void lastSlot[1]--],
  [
    'a run that ends before its last slot',
    'causes',
    /-\d+ cycles of done|slots \+ stalls/,
    ({ lastSlot }) => void lastSlot.fill(150),
  ],
  [
    'a run of fewer cycles than the edge lets weights in',
    'link',
    /carries|too late for/,
    ({ lastSlot }) => void lastSlot.fill(3),
  ],
  [
    'two partial sums on a link in one cycle',
    'link',
    /two partial sums of ring position 1 on one link/,
    ({ arriveTimes, arriveRing, issued }) => {
      const at = (k: number): number => arriveRing + ((issued[1] - k) & (arriveRing - 1));
      arriveTimes[at(1)] = arriveTimes[at(2)];
    },
  ],
];

describe('lookahead', () => {
  test('keeps the laws as it is', () => expect(lookaheadRow(short).cycles).toBeGreaterThan(0));

  test.each(lookaheadFaults)('%s', (_, law, message, fault) => {
    planted.lookahead = fault;
    const error = brokenBy(() => lookaheadRow(short));
    expect(error).toMatchObject({ code: EXIT.lawBroken, law });
    expect(error.message).toMatch(message);
  });
});

test('a stream that enters faster than the edge lets it', () => {
  const use = {
    shape: { ...shape, gap: [40, 1] as const },
    path: 'test',
    streamed: new Int32Array(5),
    token: new Int32Array(5).fill(13),
  };
  const where = new Float64Array(40);
  const cycles = 600;
  for (let p = 0; p < 5; p++) where[p * 8 + CAUSE.compute] = cycles;
  expect(lawfulRow(use, { cycles, where }).cycles).toBe(600);
  const late = { ...use, shape: { ...use.shape, gap: [50, 1] as const } };
  expect(brokenBy(() => lawfulRow(late, { cycles, where })).message).toContain(
    'the last weight of PE (0,0), ring position 0, enters in cycle 600 at the earliest, too late for 600 cycles',
  );
});

test('the columns of all cells come to the same sums', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { nnz, ...rest } = spmmCase(seed);
    const { buffer } = wasmKernels(1 << 20).memory;
    const cells = new Uint16Array(buffer, ARENA_START, nnz.length);
    cells.set(nnz);
    const sums = new Int32Array(buffer, ARENA_START + (1 << 18), rest.cols);
    columnSums({ ...rest, nnz: cells }, sums);
    const expected = new Int32Array(rest.cols);
    columnSumsPlain({ ...rest, nnz }, expected);
    expect(Array.from(sums)).toEqual(Array.from(expected));
  }
});
