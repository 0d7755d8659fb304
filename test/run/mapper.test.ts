// The mapper against running everything: its choice, the bound by which it leaves candidates out, and what it says when
// nothing fits.

import { describe, expect, test } from 'vitest';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import type { Machine } from '../../emulator/machine/spec.ts';
import { candidatesOrThrow, chooseMapping } from '../../run/mapper.ts';
import type { Candidate } from '../../run/mapper/candidates.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer, type Timer } from '../../run/timer.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';

async function cyclesOf(graph: Graph, machine: Machine, mapping: Mapping, timer: Timer): Promise<number> {
  const { cycles } = await runProgram(lower(placeGraph(graph, machine, mapping)), { timer });
  return cycles;
}

interface Run extends Candidate {
  readonly cycles: number;
}

async function runAll(graph: Graph, machine: Machine, timer: Timer): Promise<Run[]> {
  const runs: Run[] = [];
  for (const each of candidatesOrThrow(graph, machine, anyMapping).fitting)
    runs.push({ ...each, cycles: await cyclesOf(graph, machine, each.mapping, timer) });
  return runs;
}

describe.each<{ what: string; graph: Graph; machine: Machine }>([
  { what: 'GPT', graph: graphOf(gptLike, 4, 16), machine: waferOf(13, 12) },
  { what: 'LLaMA', graph: graphOf({ ...llamaLike, sparsity: 0.8 }, 2, 8), machine: waferOf(24, 8) },
  { what: 'dense GPT-J', graph: graphOf({ ...gptJLike, sparsity: 0 }, 2, 6), machine: waferOf(16, 8) },
  {
    what: 'matmul',
    graph: graphOf({ kind: 'matmul', in: 96, out: 64, sparsity: 0.8 }, 16, 16),
    machine: waferOf(40, 32),
  },
])('$what', async ({ graph, machine }) => {
  const timer = inProcessTimer();
  const runs = await runAll(graph, machine, timer);

  test('of all candidates the fastest is chosen', async () => {
    const chosen = await chooseMapping(graph, machine, anyMapping, timer);
    expect(runs.length).toBeGreaterThan(15);
    const fastest = Math.min(...runs.map(({ cycles }) => cycles));
    expect(await cyclesOf(graph, machine, chosen, timer)).toBe(fastest);
    expect(Math.max(...runs.map(({ cycles }) => cycles))).toBeGreaterThan(1.5 * fastest);
  });

  test('whatever the number of tokens a PE, of groups and of rows, none is faster in as many columns', async () => {
    const fastest = Math.min(...runs.map(({ cycles }) => cycles));
    const seen = new Set<string>();
    for (const columns of new Set(runs.map(({ mapping }) => mapping.columns)))
      for (let tokensPerPe = 1; tokensPerPe <= 16; tokensPerPe++)
        for (let groups = 1; groups * columns <= machine.fabric.width; groups++)
          for (let rows = 1; rows <= machine.fabric.height; rows++) {
            const choice = { columns, tokensPerPe, accumulators: null };
            const fit = fitMapping(graph, machine, { ...anyMapping, groups, rows }, choice);
            if (isMisfit(fit) || seen.has(JSON.stringify(fit))) continue;
            seen.add(JSON.stringify(fit));
            expect(await cyclesOf(graph, machine, fit, timer), JSON.stringify(fit)).toBeGreaterThanOrEqual(fastest);
          }
    expect(seen.size).toBeGreaterThan(2 * runs.length);
  });

  test('no candidate is faster than its bound', () => {
    for (const { bound, cycles } of runs) expect(bound).toBeLessThanOrEqual(cycles);
  });

  test('every candidate is a mapping that fits, each once', () => {
    expect(new Set(runs.map(({ mapping }) => JSON.stringify(mapping))).size).toBe(runs.length);
    for (const { mapping } of runs) expect(() => placeGraph(graph, machine, mapping)).not.toThrow();
  });

  test('fewer accumulators are never faster', async () => {
    const [{ mapping }] = runs.toSorted((a, b) => a.cycles - b.cycles);
    let before = 0;
    for (const accumulators of [8, 4, 2, 1]) {
      const cycles = await cyclesOf(graph, machine, { ...mapping, accumulators }, timer);
      expect(cycles).toBeGreaterThanOrEqual(before);
      before = cycles;
    }
  });
});

test('the bound holds for few columns too, where no column is far above the mean', async () => {
  const machine = waferOf(8, 8);
  for (let seed = 0; seed < 40; seed++) {
    const graph = graphOf({ kind: 'matmul', in: 16, out: 24, sparsity: { value: 0.5, seed } }, 8, 4);
    const request = { ...anyMapping, columns: 1 + (seed % 3), tokensPerPe: 4 };
    const [{ mapping, bound }] = candidatesOrThrow(graph, machine, request).fitting;
    const cycles = await cyclesOf(graph, machine, mapping, inProcessTimer());
    expect(bound).toBeLessThanOrEqual(cycles);
  }
});

const never: Timer = {
  time: () => Promise.reject(new Error('nothing is to be run')),
  close: () => Promise.resolve(),
};

describe('what the user fixes', () => {
  const graph = graphOf(gptLike, 4, 16);
  const machine = waferOf(13, 12);

  test('is taken without running anything', async () => {
    const choice = { columns: 6, tokensPerPe: 4, accumulators: 2 };
    const mapping = await chooseMapping(graph, machine, { ...anyMapping, ...choice }, never);
    const fit = fitMapping(graph, machine, anyMapping, choice);
    expect(isMisfit(fit)).toBe(false);
    expect(mapping).toEqual(fit);
  });

  test.each([{ columns: 6 }, { tokensPerPe: 7 }, { accumulators: 1 }, { columns: 3, accumulators: 2 }])(
    '%o is kept',
    async (fixed) => {
      const mapping = await chooseMapping(graph, machine, { ...anyMapping, ...fixed }, inProcessTimer());
      expect(mapping).toMatchObject(fixed);
    },
  );

  test('and does not fit is refused (exit 3) with the inequality and what would help', async () => {
    const small = { ...machine, memory: { ...machine.memory, sramBytes: 5000 } };
    const choice = { columns: 1, tokensPerPe: 16 };
    const refused = chooseMapping(graph, small, { ...anyMapping, ...choice }, never);
    await expect(refused).rejects.toMatchObject({ code: 3 });
    await expect(refused).rejects.toThrow(
      'tiny does not fit with C = 1 columns, T = 16 tokens a PE, K = 1 accumulators: SRAM of the fullest PE during ' +
        'h.0.attn.position is 8576 bytes, the limit 5000 (3576 too many); what would help: more columns a group, ' +
        'fewer tokens a PE, fewer accumulators\n  code and queues: 4096 bytes\n  residual stream: 768 bytes\n',
    );
  });

  test('more columns than there are is refused too', async () => {
    await expect(chooseMapping(graph, machine, { ...anyMapping, columns: 14 }, never)).rejects.toThrow(
      'columns of a group is 14 PEs, the limit 13 (1 too many); what would help: fewer columns',
    );
  });

  test('a batch that fits nowhere names the nearest miss', async () => {
    const long = graphOf(gptLike, 1, 64);
    await expect(chooseMapping(long, waferOf(13, 2), { ...anyMapping, tokensPerPe: 31 }, never)).rejects.toThrow(
      'rows of a sequence of 64 tokens at 31 a PE is 3 rows, the limit 2 (1 too many); what would help: more tokens a PE',
    );
  });
});
