// Whoever times the kernels, the result is the same bytes; and a worker's failure comes back as what it was.

import { afterAll, describe, expect, test } from 'vitest';
import type { StepShape } from '../../compiler/lower/program.ts';
import { runModel } from '../../run/main.ts';
import { runProgram } from '../../run/program.ts';
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

  test('an abort is exit 130', async () => {
    const abort = new AbortController();
    const timer = pooledTimer(1, abort.signal);
    const timing = timer.time({ ...shape, slots: 9 }, machine, 'a');
    abort.abort();
    await expect(timing).rejects.toMatchObject({ code: 130 });
    await timer.close();
  });
});
