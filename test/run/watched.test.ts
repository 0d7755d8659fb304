// Of rows that fold two are stepped: what is shown of any row is what the whole mesh does there, cycle for cycle.

import { expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { type PeView, type Place, type View, view, type Watchable } from '../../run/watched.ts';
import { spmmCase } from '../fixtures/spmmCases.ts';

const MOST = 1_000_000;

function meshOf(seed: number): { whole: Watchable; folded: Watchable; cycles: number; places: Place[] } {
  const shape = { ...spmmCase(seed), rows: 4 };
  const { rows, cols, latencies } = shape;
  const program = spmmProgram(shape);
  return {
    whole: { program, latencies, rows, isFolded: false },
    folded: { program: spmmProgram({ ...shape, rows: 2 }), latencies, rows, isFolded: true },
    cycles: runStepped(program, latencies).cycles,
    places: Array.from({ length: rows * cols }, (_, i) => ({ x: i % cols, y: Math.floor(i / cols) })),
  };
}

/** Everything that is shown, a line a cycle. */
function lines({ from, until, pes }: View): string[] {
  return pes.flatMap((pe) => Array.from({ length: until - from }, (_, i) => cycleOf(pe, from + i)));
}

function cycleOf({ x, y, core, buffers }: PeView, t: number): string {
  const now = <Run extends { from: number; until: number }>(runs: readonly Run[]): Run => {
    const holding = runs.filter(({ from, until }) => from <= t && t < until);
    if (holding.length !== 1) throw new Error(`${holding.length} stretches of (${x},${y}) hold cycle ${t}`);
    return holding[0];
  };
  const { from, until: _, slot, ...run } = now(core);
  const at = run.cause <= 2 ? slot + t - from : 0;
  const depths = buffers.map(({ kind, color, runs }) => {
    const { depth, isFilled, isDrained } = now(runs);
    return `${kind} ${color}: ${depth} ${isFilled} ${isDrained}`;
  });
  return `(${x},${y}) ${t} ${JSON.stringify({ ...run, at })} ${depths.join(', ')}`;
}

test('folded rows are shown as the whole mesh has them', () => {
  let compared = 0;
  for (let seed = 1; seed <= 80; seed++) {
    const { whole, folded, cycles, places } = meshOf(seed);
    if (cycles > 500) continue;
    compared++;
    const asked = { places, span: { from: 0, until: cycles }, cycles, most: MOST };
    const shown = view(folded, asked);
    expect(shown).toMatchObject({ from: 0, until: cycles, isCut: false });
    expect(lines(shown), `seed ${seed}`).toEqual(lines(view(whole, asked)));
  }
  expect(compared).toBeGreaterThan(8);
});

test('and so is any part of them', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { whole, folded, cycles, places } = meshOf(seed);
    const from = seed % 4 === 0 ? 0 : Math.floor((cycles * (seed % 4)) / 4);
    const until = Math.min(cycles, from + (seed % 3 === 0 ? 2 : 9));
    const some = places.filter((_, i) => (i + seed) % 3 === 0);
    const asked = { places: some, span: { from, until }, cycles, most: MOST };
    const shown = lines(view(folded, asked));
    expect(shown, `seed ${seed}`).toEqual(lines(view(whole, asked)));
    expect(shown).toHaveLength(some.length * (until - from));
  }
});

test('a cycle too far to step to does not fit, and what would help is said', () => {
  const { whole, cycles } = meshOf(1);
  const far = 2 ** 31;
  const asked = { places: [{ x: 0, y: 0 }], span: { from: far, until: far + 1 }, cycles: cycles + 2 * far, most: MOST };
  const error: unknown = (() => {
    try {
      return view(whole, asked);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(EmulateError);
  expect(error).toMatchObject({ code: EXIT.doesNotFit });
  expect(String(error)).toContain('too far to step to, allowed');
  expect(String(error)).toContain('what would help: an earlier window');
});
