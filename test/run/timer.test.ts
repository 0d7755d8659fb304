// Whoever times the kernels, the result is the same bytes; and a worker's failure comes back as what it was.

import { afterAll, describe, expect, test } from 'vitest';
import type { StepShape } from '../../compiler/lower/program.ts';
import { runModel } from '../../run/main.ts';
import { runProgram } from '../../run/program.ts';
import { LawError } from '../../emulator/laws.ts';
import { inProcessTimer, pooledTimer, remembering, type Timer } from '../../run/timer.ts';
import { tinyProgram } from '../compiler/lower/tinyProgram.ts';
import { gptLike, llamaLike, specOf, waferOf } from './tiny.ts';

const timers = new Map<string, Timer>([
  ['in process', inProcessTimer()],
  ['1 worker', pooledTimer(1)],
  ['2 workers', pooledTimer(2)],
]);
afterAll(() => Promise.all(Array.from(timers.values(), (timer) => timer.close())));

test.each([
  ['GPT', { ...gptLike, layers: 2 }],
  ['LLaMA', llamaLike],
])('the result of %s is the same bytes in process, with one worker and with two', async (_name, file) => {
  const program = tinyProgram(file);
  const results: string[] = [];
  for (const timer of timers.values()) results.push(JSON.stringify(await runProgram(program, { timer })));
  expect(results[0].length).toBeGreaterThan(1000);
  expect(results[1]).toBe(results[0]);
  expect(results[2]).toBe(results[0]);
});

test('a whole job is the same with one worker and with two, but for the host', async () => {
  const machine = { preset: 'wse2', fabric: { width: 13, height: 12 } };
  const mapping = { columns: 12, tokensPerPe: 5 };
  const spec = specOf({ ...gptLike, machine, mapping, workload: { batch: 2, sequence: 10 } });
  const jobs = await Promise.all(
    [1, 2].map(async (workers) => {
      const labels = new Set<string>();
      const { run, ...result } = await runModel(spec, {
        workers,
        twins: true,
        onProgress: (_i, _of, label) => labels.add(label),
      });
      expect(run.workers).toBe(workers);
      expect([...labels]).toContain('h.0.mlp.c_fc');
      return result;
    }),
  );
  expect(JSON.stringify(jobs[1])).toBe(JSON.stringify(jobs[0]));
  const [{ wafer, waferDense, waferDenseSameMapping, twins, programHash }] = jobs;
  expect(twins).toHaveLength(wafer.operators.length);
  expect(programHash).toMatch(/^[0-9a-f]{64}$/);
  expect(waferDenseSameMapping.mapping).toEqual(wafer.mapping);
  expect(waferDense.cycles).toBeLessThanOrEqual(waferDenseSameMapping.cycles);
  expect(wafer.cycles).toBeLessThan(waferDense.cycles);
});

const machine = waferOf(3, 3);
const shape: StepShape = { kernel: 'local', rows: 1, cols: 1, slots: 7 };

test('a kernel is timed once, however often it is asked for', async () => {
  const timer = inProcessTimer();
  const first = timer.time(shape, machine, 'a');
  expect(timer.time({ ...shape }, { ...machine }, 'b')).toBe(first);
  expect(timer.time({ ...shape, slots: 8 }, machine, 'a')).not.toBe(first);
  expect(await first).toMatchObject({ cycles: 7, pes: 1 });
});

test('of more kernels than are remembered, those asked for longest ago are timed again', async () => {
  const timed: string[] = [];
  const inner = inProcessTimer();
  const counting: Timer = {
    time: (one, on, name) => {
      timed.push(name);
      return inner.time(one, on, name);
    },
    close: () => inner.close(),
  };
  const timer = remembering(counting, 2);
  const ask = (slots: number) => timer.time({ ...shape, slots }, machine, `${slots}`);
  const cycles = [];
  for (const slots of [1, 2, 1, 3, 1, 2]) cycles.push((await ask(slots)).cycles);
  expect(cycles).toEqual([1, 2, 1, 3, 1, 2]);
  expect(timed).toEqual(['1', '2', '3', '2']);
});

describe('what goes wrong in a worker', () => {
  test('an error keeps its exit code', async () => {
    const timer = pooledTimer(1);
    const oneColor = { ...machine, fabric: { ...machine.fabric, colors: 1 } };
    const chain: StepShape = { kernel: 'chainReduce', width: 3, wavelets: 4 };
    const message = /^chainReduce does not fit: it needs 2 colors, the limit is 1/;
    for (const each of [timer, inProcessTimer()]) {
      const refused = each.time(chain, oneColor, 'chain');
      await expect(refused).rejects.toThrow(message);
      await expect(refused).rejects.toMatchObject({ code: 3 });
    }
    await timer.close();
  });

  test('a worker that dies names its operator', async () => {
    const timer = pooledTimer(1);
    const broken: StepShape = JSON.parse('{ "kernel": "fft" }');
    await expect(timer.time(broken, machine, 'h.7.attn.scores')).rejects.toThrow(
      /^internal: the worker of h\.7\.attn\.scores died: /,
    );
    await timer.close();
  });

  test('a broken law comes back with the smallest case that breaks it', async () => {
    // Half a slot: no machine file has that, and the causes of a PE cannot add up.
    const halfSlots = { ...machine, core: { ...machine.core, axpyOverhead: 5.5 } };
    const layout = { kind: 'strided', features: 40 } as const;
    const mask = { name: 'w', seed: 1, sparsity: 0.5, rows: 40, width: 40 };
    const weights = { mask, input: layout, output: layout };
    const matmul = {
      kernel: 'spmm',
      weights,
      cols: 8,
      tokens: 64,
      accumulators: 4,
      gap: [1, 1],
      accumulate: 'fp16',
    } as const;
    const timer = pooledTimer(1);
    const [error, here] = await Promise.all(
      [timer, inProcessTimer()].map((each) => each.time(matmul, halfSlots, 'h.0.attn.c_attn').catch((e: unknown) => e)),
    );
    await timer.close();
    if (!(error instanceof LawError) || error.smallest === undefined) throw new Error('no law was broken');
    expect(error).toMatchObject({ code: 5, law: 'causes' });
    expect(error.smallest).toMatchObject({ stem: 'spmm', suffix: '.json', before: 'kernel --spec' });
    const smallest: unknown = JSON.parse(error.smallest.content.toString());
    expect(smallest).toMatchObject({ kernel: 'spmm', cols: 1, accumulators: 1, nnz: [[1]], axpyOverhead: 5.5 });
    expect(here).toEqual(error);
  });

  test('a timer that is closed with kernels under way rejects them, and raises nothing else', async () => {
    for (let round = 0; round < 6; round++) {
      const timer = pooledTimer(2);
      await timer.time(shape, machine, 'first');
      const under = Array.from({ length: 60 }, (_, slots) => timer.time({ ...shape, slots: slots + 8 }, machine, 'a'));
      const ended = Promise.allSettled(under);
      await under[3 * round];
      // Meanwhile the workers answer, and nobody hears them before they are ended.
      for (const from = performance.now(); performance.now() < from + 3; );
      await timer.close();
      const states = (await ended).map(({ status }) => status);
      expect(states).toContain('fulfilled');
      // An answer that is on its way comes with the next turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  test('an abort is exit 130', async () => {
    const abort = new AbortController();
    const timer = pooledTimer(1, abort.signal);
    const timing = timer.time({ ...shape, slots: 9 }, machine, 'a');
    abort.abort();
    await expect(timing).rejects.toMatchObject({ code: 130 });
    await timer.close();
  });
});
