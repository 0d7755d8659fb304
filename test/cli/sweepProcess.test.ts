// A sweep in a process of its own: killed or interrupted in the middle it leaves whole points, and goes on from there.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { tinyFile } from '../sweep/swept.ts';
import { emulate, folderWith } from './emulated.ts';

const entry = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const POINTS = 39;
const grid = ['--vary', 'sparsity=0:0.95:0.025', '--workers', '1'];

function startSweep(folder: string): ChildProcess {
  const argv = ['sweep', join(folder, 'tiny.json'), ...grid, '--out', join(folder, 'out')];
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

function pointsIn(folder: string): string[] {
  const out = join(folder, 'out');
  return existsSync(out) ? readdirSync(out).filter((name) => name.endsWith('.json')) : [];
}

async function somePoints(folder: string, child: ChildProcess): Promise<void> {
  while (pointsIn(folder).length < 3) {
    if (child.exitCode !== null) throw new Error('the sweep was over before it could be stopped');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The same sweep to its end, with what was there, and the table of one that was not cut off. */
async function goesOn(folder: string, kept: number): Promise<void> {
  const model = join(folder, 'tiny.json');
  const { code, out } = await emulate(['sweep', model, ...grid, '--out', join(folder, 'out')]);
  expect(code).toBe(0);
  expect(out).toContain(`${POINTS} points, ${kept} of them were there; `);
  await emulate(['sweep', model, ...grid, '--out', join(folder, 'whole')]);
  for (const name of ['results.csv', 'results.jsonl'])
    expect(readFileSync(join(folder, 'out', name), 'utf8')).toBe(readFileSync(join(folder, 'whole', name), 'utf8'));
}

test('a killed sweep leaves whole points only, and goes on from them', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const child = startSweep(folder);
  await somePoints(folder, child);
  child.kill('SIGKILL');
  await once(child, 'close');
  const kept = pointsIn(folder);
  expect(kept.length).toBeLessThan(POINTS);
  for (const name of kept) expect(() => JSON.parse(readFileSync(join(folder, 'out', name), 'utf8'))).not.toThrow();
  expect(existsSync(join(folder, 'out', 'results.csv'))).toBe(false);
  await goesOn(folder, kept.length);
});

test('an interrupted sweep ends within a second with 130, says what it kept, and goes on', async () => {
  const folder = folderWith({ 'tiny.json': tinyFile });
  const child = startSweep(folder);
  let err = '';
  child.stderr?.on('data', (text) => (err += String(text)));
  await somePoints(folder, child);
  const from = performance.now();
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  expect(code).toBe(130);
  expect(performance.now() - from).toBeLessThan(1000);
  const kept = pointsIn(folder).length;
  expect(kept).toBeLessThan(POINTS);
  expect(err).toMatch(/^\d+ of 39 points are kept in .*; the same command goes on from there\ninterrupted\n$/);
  await goesOn(folder, kept);
});
