// What the number of workers may not change, and what becomes of them: the report is the same bytes for 1, 2 and 4; after
// an interrupt no thread is left; and if one dies, the error names the operator.

import { setMaxListeners } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import type * as Pool from '../../run/pool.ts';
import { emulate, folderWith, tinyModel } from './emulated.ts';

const asked = vi.hoisted(() => ({ dying: false }));

vi.mock('../../run/pool.ts', async (original) => {
  const { openPool } = await original<typeof Pool>();
  return {
    openPool: (url: string, name: string, workers: number) =>
      asked.dying
        ? openPool(new URL('../fixtures/dyingWorker.ts', import.meta.url).href, 'dyingWorker', workers)
        : openPool(url, name, workers),
  };
});

/** The document as it is written, but for the part about the host. */
function bytesWithoutHost(text: string): string {
  return JSON.stringify({ ...z.looseObject({ run: z.unknown() }).parse(JSON.parse(text)), run: undefined });
}

const matmul = {
  kind: 'matmul',
  in: 96,
  out: 64,
  workload: { tokens: 64 },
  sparsity: 0.5,
  machine: tinyModel.machine,
};

test.each([
  ['a GPT', tinyModel],
  ['a training step', { ...tinyModel, layers: 1, workload: { kind: 'train', sequence: 16 }, mapping: { columns: 16 } }],
  ['a matmul', matmul],
])('the report of %s is the same bytes for 1, 2 and 4 workers', async (_, file) => {
  const model = `${folderWith({ 'model.json': file })}/model.json`;
  const reports: string[] = [];
  for (const workers of ['1', '2', '4']) {
    const { code, out, err } = await emulate([model, '--workers', workers, '--json', '-']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`"workers": ${workers},`);
    reports.push(bytesWithoutHost(out));
  }
  expect(reports[0].length).toBeGreaterThan(3000);
  expect(reports[1]).toBe(reports[0]);
  expect(reports[2]).toBe(reports[0]);
});

/** Of this process; only Linux says it so. */
const tasks = '/proc/self/task';
const threads = (): number => readdirSync(tasks).length;

test.skipIf(!existsSync(tasks))('an interrupt is exit 130 within a second, and all workers are gone', async () => {
  // Threads that stay, for files and for loading, are there after any run.
  const small = `${folderWith({ 'model.json': matmul })}/model.json`;
  expect((await emulate([small, '--workers', '1'])).code).toBe(0);
  const before = threads();
  const abort = new AbortController();
  // Every kernel that waits for a worker listens.
  setMaxListeners(0, abort.signal);
  const run = emulate(['gpt3-175b', '--workers', '4', '--no-twins'], { signal: abort.signal });
  await vi.waitUntil(() => threads() >= before + 4, 10_000);
  // The workers have begun by now; the run would take minutes.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const from = performance.now();
  abort.abort();
  const { code, err } = await run;
  expect({ code, err }).toEqual({ code: 130, err: 'interrupted\n' });
  expect(performance.now() - from).toBeLessThan(1000);
  // The pool does not wait for those whose work was broken off.
  await vi.waitUntil(() => threads() <= before, 5000);
});

test('a worker that dies is exit 1 and names its operator', async () => {
  asked.dying = true;
  const model = `${folderWith({ 'model.json': matmul })}/model.json`;
  const { code, err } = await emulate([model, '--workers', '2']);
  asked.dying = false;
  expect(code).toBe(1);
  expect(err).toMatch(/internal: the worker of matmul died: worker exited with code: 7$/m);
});
