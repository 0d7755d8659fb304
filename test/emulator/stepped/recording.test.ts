// What is recorded of some PEs in a span of cycles is what the engine did there: the slots of the trace that visits every part in
// every cycle, the causes that it counts, and buffers that hold what came and has not gone.

import { describe, expect, test } from 'vitest';
import { CAUSE, CAUSE_COUNT, CAUSES } from '../../../emulator/program/causes.ts';
import type { FabricProgram } from '../../../emulator/program/fabric.ts';
import { AT_CAUSE, AT_OVERHEAD, INSTRUCTION_WORDS, NONE } from '../../../emulator/program/instruction.ts';
import type { Latencies } from '../../../emulator/machine/spec.ts';
import { EmulateError } from '../../../emulator/errors.ts';
import { runStepped } from '../../../emulator/stepped/engine.ts';
import { type BufferRun, type CoreRun, record, type Recording } from '../../../emulator/stepped/recording.ts';
import { spmmProgram } from '../../../kernels/spmm/program.ts';
import { draws } from '../../fixtures/draws.ts';
import { flowProgram } from '../../fixtures/flows.ts';
import { anyLatencies } from '../../fixtures/machines.ts';
import { spmmCase } from '../../fixtures/spmmCases.ts';
import { trace } from '../../fixtures/trace.ts';

interface Case {
  readonly name: string;
  readonly program: FabricProgram;
  readonly latencies: Latencies;
}

function endsWell({ program, latencies }: Case): boolean {
  try {
    runStepped(program, latencies);
    return true;
  } catch (error) {
    if (error instanceof EmulateError) return false;
    throw error;
  }
}

const cases = Array.from({ length: 25 }, (_, i): Case[] => {
  const shape = spmmCase(i + 1);
  const [one, several] = [flowProgram(i + 1), flowProgram(i + 1, true)];
  const latencies = anyLatencies(draws(i + 1));
  return [
    { name: `matmul ${i + 1}`, program: spmmProgram(shape), latencies: shape.latencies },
    { name: `one thread ${i + 1}`, program: one, latencies },
    { name: `several threads ${i + 1}`, program: several, latencies },
  ];
})
  .flat()
  .filter(endsWell);

const EVERYTHING = { span: { from: 0, until: 1_000_000 }, most: 1_000_000 };

function allPes({ cores }: FabricProgram): number[] {
  return Array.from(cores.keys());
}

/** The stretch that holds cycle t; there is just one. */
function at<Run extends CoreRun | BufferRun>(runs: readonly Run[], t: number): Run {
  const holding = runs.filter(({ from, until }) => from <= t && t < until);
  expect(holding).toHaveLength(1);
  return holding[0];
}

test('cases of all kinds are among those that end', () => {
  for (const kind of ['matmul', 'one thread', 'several threads'])
    expect(cases.filter(({ name }) => name.startsWith(kind)).length).toBeGreaterThan(15);
});

describe('a whole program', () => {
  test('has the cycles and the causes that the engine counts', () => {
    for (const { name, program, latencies } of cases) {
      const run = runStepped(program, latencies);
      const recording = record(program, latencies, { ...EVERYTHING, pes: allPes(program) });
      expect(recording, name).toMatchObject({ from: 0, until: run.cycles, isEnded: true, isCut: false });
      for (const { pe, core } of recording.pes) {
        const counts = CAUSES.map((_, cause) =>
          core.reduce((sum, each) => sum + (each.cause === cause ? each.until - each.from : 0), 0),
        );
        const counted = run.where.subarray(pe * CAUSE_COUNT, (pe + 1) * CAUSE_COUNT);
        expect(counts, `${name}, PE ${pe}`).toEqual([...counted]);
      }
    }
  });

  test('has the thread of every cycle, and the instruction that gives its cause', () => {
    let slots = 0;
    for (const { name, program, latencies } of cases.slice(0, 20)) {
      const traced = trace(program, latencies);
      for (const { pe, core } of record(program, latencies, { ...EVERYTHING, pes: allPes(program) }).pes) {
        const cycles = traced.core(pe % program.width, Math.floor(pe / program.width));
        const expected = cycles.map(({ thread, cause }) => `${thread === NONE ? '' : thread} ${cause}`);
        const got = core.flatMap((run) =>
          Array.from({ length: run.until - run.from }, (_, i) => {
            const isSlot = run.cause <= CAUSE.reduce;
            if (!isSlot) return ` ${CAUSES[run.cause]}`;
            slots++;
            const code = program.cores[pe].threads[run.thread];
            const word = run.instruction * INSTRUCTION_WORDS;
            const isOverhead = run.slot + i < code[word + AT_OVERHEAD];
            return `${run.thread} ${CAUSES[isOverhead ? CAUSE.overhead : code[word + AT_CAUSE]]}`;
          }),
        );
        expect(got, `${name}, PE ${pe}`).toEqual(expected);
      }
    }
    expect(slots).toBeGreaterThan(1000);
  });

  test('has buffers that hold what came and has not gone, and are filled and drained when the trace says so', () => {
    let filled = 0;
    for (const { name, program, latencies } of cases.slice(0, 20)) {
      const traced = trace(program, latencies);
      for (const { pe, buffers } of record(program, latencies, { ...EVERYTHING, pes: allPes(program) }).pes)
        for (const { kind, color, runs } of buffers) {
          const [x, y] = [pe % program.width, Math.floor(pe / program.width)];
          const came = kind === 'input' ? traced.left(x, y, color) : traced.entered(x, y, color);
          const went = kind === 'input' ? traced.taken(x, y, color) : traced.left(x, y, color);
          let held = 0;
          const expected = Array.from({ length: traced.cycles }, (_, t) => {
            const [isFilled, isDrained] = [came.includes(t), went.includes(t)];
            const cycle = `${held} ${isFilled} ${isDrained}`;
            held += Number(isFilled) - Number(isDrained);
            return cycle;
          });
          const got = runs.flatMap(({ from, until, depth, isFilled, isDrained }) =>
            Array.from({ length: until - from }, () => `${depth} ${isFilled} ${isDrained}`),
          );
          expect(got, `${name}, PE ${pe}, ${kind} ${color}`).toEqual(expected);
          filled += came.length;
        }
    }
    expect(filled).toBeGreaterThan(1000);
  });
});

test('a span of some PEs is that part of the whole', () => {
  for (const [i, { name, program, latencies }] of cases.entries()) {
    const whole = record(program, latencies, { ...EVERYTHING, pes: allPes(program) });
    const from = Math.floor(whole.until / 3);
    const until = Math.min(whole.until, from + 7);
    const pe = i % program.cores.length;
    const part = record(program, latencies, { span: { from, until }, most: 1_000_000, pes: [pe] });
    expect([part.from, part.until, part.isCut], name).toEqual([from, until, false]);
    const [seen] = part.pes;
    for (let t = from; t < until; t++) {
      const { from: begun, until: _, ...expected } = at(whole.pes[pe].core, t);
      const { from: later, until: __, ...got } = at(seen.core, t);
      const slots = expected.cause <= 2 ? { slot: expected.slot + Math.max(0, later - begun) } : {};
      expect(got, `${name}, PE ${pe}, cycle ${t}`).toEqual({ ...expected, ...slots });
      for (const [b, { runs }] of seen.buffers.entries())
        expect(at(runs, t).depth).toBe(at(whole.pes[pe].buffers[b].runs, t).depth);
    }
  }
});

test('where there is no more room a recording ends early, whole up to its end, and says so', () => {
  const [{ program, latencies }] = cases;
  const whole = record(program, latencies, { ...EVERYTHING, pes: [0] });
  const cut: Recording = record(program, latencies, { ...EVERYTHING, most: 20, pes: [0] });
  expect(cut).toMatchObject({ isEnded: false, isCut: true });
  expect(cut.until).toBeGreaterThan(0);
  expect(cut.until).toBeLessThan(whole.until);
  expect(cut.pes[0].core.at(-1)?.until).toBe(cut.until);
  for (const { runs } of cut.pes[0].buffers) expect(runs.at(-1)?.until).toBe(cut.until);
});
