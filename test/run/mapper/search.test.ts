// The search against running every candidate; and that who runs them, and how many at a time, changes nothing.

import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { lower } from '../../../compiler/lower/lower.ts';
import { placeGraph } from '../../../compiler/lower/placement.ts';
import type { Graph } from '../../../compiler/graph/graph.ts';
import type { Mapping } from '../../../compiler/mapping/mapping.ts';
import type { Machine } from '../../../emulator/machine/spec.ts';
import { candidatesOrThrow, chooseMapping } from '../../../run/mapper.ts';
import { judgeAll } from '../../../run/mapper/search.ts';
import { frontOf, surveyMappings } from '../../../run/mapper/survey.ts';
import { runProgram } from '../../../run/program.ts';
import { inProcessTimer, pooledTimer, type Timer } from '../../../run/timer.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from '../tiny.ts';

async function cyclesOf(graph: Graph, machine: Machine, mapping: Mapping, timer: Timer): Promise<number> {
  return (await runProgram(lower(placeGraph(graph, machine, mapping)), { timer })).cycles;
}

const drawn = fc.record({
  base: fc.constantFrom(gptLike, llamaLike, gptJLike, { kind: 'matmul', in: 50, out: 41 }),
  sparsity: fc.constantFrom(0, 0.5, 0.9),
  seed: fc.integer({ min: 0, max: 1000 }),
  batch: fc.integer({ min: 1, max: 9 }),
  sequence: fc.integer({ min: 2, max: 16 }),
  width: fc.integer({ min: 8, max: 24 }),
  height: fc.integer({ min: 6, max: 14 }),
  sramBytes: fc.constantFrom(6000, 9000, 49_152),
});

test('of all candidates of one layer the fastest is chosen, and each that ran has its own cycles', async () => {
  const timer = inProcessTimer();
  await fc.assert(
    fc.asyncProperty(drawn, async ({ base, sparsity, seed, batch, sequence, width, height, sramBytes }) => {
      const wafer = waferOf(width, height);
      const machine = { ...wafer, memory: { ...wafer.memory, sramBytes } };
      const graph = graphOf({ ...base, sparsity: { value: sparsity, seed } }, batch, sequence);
      const { fitting } = candidatesOrThrow(graph, machine, anyMapping);
      const { judged, pruned, open } = await judgeAll(fitting, { graph, machine, timer }, 3);
      expect(judged.length + pruned + open).toBe(fitting.length);
      expect(open).toBe(0);
      const all = await Promise.all(fitting.map(({ mapping }) => cyclesOf(graph, machine, mapping, timer)));
      expect(judged[0].cycles).toBe(Math.min(...all));
      expect(judged.length).toBeGreaterThanOrEqual(Math.min(3, fitting.length));
      for (const { mapping, cycles, where } of judged) {
        expect(cycles).toBe(await cyclesOf(graph, machine, mapping, timer));
        const pes = mapping.columns * mapping.groups * mapping.rows;
        expect(Object.values(where).reduce((a, b) => a + b, 0)).toBe(cycles * pes);
      }
      fitting.forEach(({ bound }, i) => expect(bound).toBeLessThanOrEqual(all[i]));
    }),
    { seed: 5, numRuns: 25 },
  );
});

const two = { ...gptLike, layers: 2 };

describe('with one worker, with two and in process', () => {
  const timers = [inProcessTimer(), pooledTimer(1), pooledTimer(2)];
  afterAll(() => Promise.all(timers.map((timer) => timer.close())));

  test('the choice and all that is found beside it are the same', async () => {
    const graph = graphOf(two, 4, 16);
    const machine = waferOf(13, 12);
    const found: string[] = [];
    for (const timer of timers) {
      const survey = await surveyMappings(graph, machine, anyMapping, { timer, onProgress: () => undefined });
      expect(survey.chosen.mapping).toEqual(await chooseMapping(graph, machine, anyMapping, timer));
      found.push(JSON.stringify(survey));
    }
    expect(found[1]).toBe(found[0]);
    expect(found[2]).toBe(found[0]);
  });
});

test('a search ends at its limit of work, with at least one mapping, and says how many are open', async () => {
  const graph = graphOf(two, 4, 16);
  const machine = waferOf(13, 12);
  const timer = inProcessTimer();
  const { fitting } = candidatesOrThrow(graph, machine, anyMapping);
  const all = await judgeAll(fitting, { graph, machine, timer }, 0);
  const some = await judgeAll(fitting, { graph, machine, timer }, 0, 1);
  expect(some.judged.length).toBeGreaterThan(0);
  expect(some.judged.length).toBeLessThan(all.judged.length);
  expect(some.open).toBeGreaterThan(0);
  expect(all.open).toBe(0);
  expect(some.judged.length + some.pruned + some.open).toBe(fitting.length);
});

describe('a survey', async () => {
  const graph = graphOf(two, 4, 16);
  const machine = waferOf(13, 12);
  const timer = inProcessTimer();
  const survey = await surveyMappings(graph, machine, anyMapping, { timer, onProgress: () => undefined });

  test('lists ten different mappings, fastest first', () => {
    const { best, chosen } = survey;
    expect(best).toHaveLength(10);
    expect(new Set(best.map(({ mapping }) => JSON.stringify(mapping))).size).toBe(10);
    expect(best[0]).toEqual(chosen);
    const cycles = best.map((one) => one.cycles);
    expect(cycles).toEqual(cycles.toSorted((a, b) => a - b));
  });

  test('has a front on which less SRAM costs time, each point of it a mapping that runs', async () => {
    const { front, best } = survey;
    expect(front.length).toBeGreaterThan(2);
    for (let i = 1; i < front.length; i++) {
      expect(front[i].bytes).toBeLessThan(front[i - 1].bytes);
      expect(front[i].cycles).toBeGreaterThanOrEqual(front[i - 1].cycles);
    }
    expect(front[0].cycles).toBe(best[0].cycles);
    for (const { mapping, bytes } of front) {
      const small = { ...machine, memory: { ...machine.memory, sramBytes: bytes } };
      expect(() => placeGraph(graph, small, mapping)).not.toThrow();
    }
    expect(frontOf([...best, ...front])).toEqual(front);
  });

  test('counts every mapping once', () => {
    const { fitting, ran, ruledOut, open, tooDear } = survey.counts;
    expect(ran + ruledOut + open + tooDear).toBe(fitting);
    expect(survey.leastOfOwn).toBeLessThanOrEqual(survey.chosen.cycles);
  });
});
