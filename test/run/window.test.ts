// A window of a whole run shows what the kernels do there: PE by PE and cycle by cycle what the stepped engine does with each
// kernel on all of a group, and over all PEs the causes that the result counts.

import { describe, expect, test } from 'vitest';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSES, whereAt } from '../../emulator/program/causes.ts';
import { type CoreRun, record } from '../../emulator/stepped/recording.ts';
import { runProgram } from '../../run/program.ts';
import type { WaferResult } from '../../run/result.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { watchWindow, type Window, type WindowPart } from '../../run/window.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';
import { wholeGroup } from './wholeGroup.ts';

const MOST = 10_000_000;

interface Run {
  readonly graph: Graph;
  readonly program: Program;
  readonly result: WaferResult;
}

async function ran(graph: Graph, C: number, T: number, instead: Partial<Mapping> = {}): Promise<Run> {
  const machine = waferOf(11, 10);
  const fit = fitMapping(graph, machine, anyMapping, { columns: C, tokensPerPe: T, accumulators: 2 });
  if (isMisfit(fit)) throw new Error(fit.what);
  const program = lower(placeGraph(graph, machine, { ...fit, ...instead }));
  return { graph, program, result: await runProgram(program, { timer: inProcessTimer() }) };
}

const runs: readonly (readonly [string, () => Promise<Run>])[] = [
  ['a GPT in two groups', () => ran(graphOf(gptLike, 4, 10), 5, 5)],
  ['a LLaMA, a column without a head', () => ran(graphOf(llamaLike, 2, 10), 9, 5)],
  ['a GPT-J in two passes', () => ran(graphOf(gptJLike, 6, 10), 8, 6)],
  [
    'a training step of a GPT',
    () => ran(graphOf(gptLike, 2, 9, { kind: 'train' }), 5, 5, { gradients: { buffers: 2, sums: 60 } }),
  ],
];

function used({ mapping: { groups, columns, rows } }: Program): { x: number; y: number }[] {
  const width = groups * columns;
  return Array.from({ length: width * rows }, (_, i) => ({ x: i % width, y: Math.floor(i / width) }));
}

/** A line a cycle; of cycles without a slot the cause alone. */
function cyclesOf(core: readonly CoreRun[]): string[] {
  return core.flatMap(({ from, until, cause, thread, instruction, item, slot }) =>
    Array.from({ length: until - from }, (_, i) =>
      cause > CAUSE.reduce || thread < 0
        ? CAUSES[cause]
        : `${CAUSES[cause]} ${thread}.${instruction} ${item} ${slot + i}`,
    ),
  );
}

function lines({ parts }: Window, n: number): string[] {
  return parts.flatMap(({ pes }) => cyclesOf(pes[n].core));
}

function sumOf(parts: readonly WindowPart[]): Float64Array {
  const bank = new Float64Array(CAUSES.length);
  for (const { pes } of parts)
    for (const { core } of pes) for (const { from, until, cause } of core) bank[cause] += until - from;
  return bank;
}

describe.each(runs)('%s', (_, make) => {
  test('all PEs over the whole run have the causes that the result counts', async () => {
    const { program, result } = await make();
    const span = { from: 0, until: result.cycles / result.mapping.passes };
    const window = watchWindow(program, result, { places: used(program), span, most: MOST });
    expect(window.cutAt).toBeNull();
    for (const { name, where } of result.operators) {
      const own = window.parts.filter(({ operator }) => operator === name);
      expect(whereAt(sumOf(own), 0), name).toEqual(where);
    }
    let at = 0;
    for (const part of window.parts) {
      expect(part.at).toBe(at);
      at += part.pes[0].core.at(-1)?.until ?? NaN;
    }
    expect(at).toBe(span.until);
  });

  test('each PE does in each kernel what it does on the whole group', async () => {
    const { graph, program, result } = await make();
    const { mapping, machine } = program;
    const { columns } = mapping;
    const places = used(program).filter((_, i) => i % 5 === 1);
    const { kernelStart } = machine.core;
    let begun = 0;
    let kernels = 0;
    for (const [i, { kind, steps, name }] of program.operators.entries())
      for (const [j, { shape, repeat }] of steps.entries()) {
        const { cycles } = result.operators[i].steps[j];
        const span = { from: begun, until: begun + cycles };
        const shown = watchWindow(program, result, { places, span, most: MOST });
        const { programs, times } = wholeGroup(shape, kind, graph, mapping, machine);
        const running = shown.parts.filter((_, k) => k % 2 === 1);
        expect(shown.parts).toHaveLength(2 * programs.length);
        programs.forEach((whole, k) => {
          const { width } = whole;
          const peOf = ({ x, y }: { x: number; y: number }): number => (times > 1 ? 0 : y * width) + (x % columns);
          const on = places.filter(({ x }) => x % columns < width);
          const pes = [...new Set(on.map(peOf))];
          const recorded = record(whole, latenciesOf(machine), { pes, span: { from: 0, until: 1e6 }, most: MOST });
          expect(running[k].at - begun).toBeGreaterThanOrEqual(kernelStart);
          places.forEach((place, n) => {
            const seen = cyclesOf(running[k].pes[n].core);
            const what = `${name}, ${shape.kernel}, PE (${place.x},${place.y})`;
            expect(running[k].pes[n], what).toMatchObject(place);
            const own = recorded.pes.find(({ pe }) => pe === peOf(place));
            if (x(place) >= width || own === undefined) expect(new Set(seen), what).toEqual(new Set(['done']));
            else expect(seen, what).toEqual(cyclesOf(own.core));
            kernels++;
          });
        });
        begun += repeat * cycles;
      }
    expect(kernels).toBeGreaterThan(100);

    function x(place: { x: number }): number {
      return place.x % columns;
    }
  });
});

test('a window is that part of the whole, over passes and repeats', async () => {
  const { program, result } = await ran(graphOf(gptJLike, 6, 10), 8, 6);
  expect(result.mapping.passes).toBeGreaterThan(1);
  const places = [
    { x: 3, y: 2 },
    { x: 7, y: 5 },
  ];
  const shown = (from: number, until: number): Window =>
    watchWindow(program, result, { places, span: { from, until }, most: MOST });
  const whole = shown(0, result.cycles);
  expect(lines(whole, 0)).toHaveLength(result.cycles);
  const pass = result.cycles / result.mapping.passes;
  expect(lines(whole, 1).slice(0, pass)).toEqual(lines(whole, 1).slice(pass, 2 * pass));
  for (let from = 11; from < result.cycles; from += Math.floor(result.cycles / 23)) {
    const until = Math.min(result.cycles, from + 300);
    const part = shown(from, until);
    for (const n of [0, 1]) expect(lines(part, n), `from ${from}`).toEqual(lines(whole, n).slice(from, until));
    for (const { at, pes } of part.parts) {
      expect(at + pes[0].core[0].from).toBeGreaterThanOrEqual(from);
      expect(at + (pes[0].core.at(-1)?.until ?? NaN)).toBeLessThanOrEqual(until);
    }
  }
});

test('without room it ends early and says where', async () => {
  const { program, result } = await ran(graphOf(gptLike, 4, 10), 5, 5);
  const asked = { places: used(program), span: { from: 0, until: result.cycles } };
  const { parts, cutAt } = watchWindow(program, result, { ...asked, most: 3000 });
  const last = parts.at(-1);
  expect(cutAt).toBeGreaterThan(0);
  expect(cutAt).toBeLessThan(result.cycles);
  for (const { core } of last?.pes ?? []) expect((last?.at ?? NaN) + (core.at(-1)?.until ?? NaN)).toBe(cutAt);
});
