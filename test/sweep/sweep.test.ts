// Sweeps: each kernel once, results kept and used again only if they are whole, failures that stop nothing else.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { buildReport } from '../../report/report.ts';
import { runModelOn } from '../../run/main.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { measuredOf } from '../../sweep/measured.ts';
import { isReady, type Point, type ReadyPoint } from '../../sweep/points.ts';
import { pointFile } from '../../sweep/store.ts';
import type { Row } from '../../sweep/sweep.ts';
import { csvOf } from '../../sweep/tables.ts';
import { folderWith } from '../cli/emulated.ts';
import { countingTimer, pointsAt, sweepInto } from './swept.ts';

function readyOf(points: readonly Point[]): ReadyPoint[] {
  return points.filter(isReady);
}

function codesOf(rows: readonly Row[]): number[] {
  return rows.map(({ outcome }) => ('failure' in outcome ? outcome.failure.code : EXIT.ok));
}

test('a point measures what its model does alone', async () => {
  const points = readyOf(pointsAt(['sparsity=0.5,0.9', 'gpu=v100,h100']));
  const { rows, there } = await sweepInto(folderWith(), points);
  expect(there).toBe(0);
  for (const [i, { spec, key, varied }] of points.entries()) {
    const alone = buildReport(
      await runModelOn(spec, { timer: inProcessTimer(), workers: 1, twins: false, onProgress: () => undefined }),
    );
    expect(rows[i]).toEqual({ key, varied, outcome: { measured: measuredOf(alone) } });
  }
  expect(new Set(csvOf(rows).split('\n')).size).toBe(6);
});

describe('the same work is run once', () => {
  test('other GPUs run no kernel', async () => {
    const [one, five] = [countingTimer(), countingTimer()];
    await sweepInto(folderWith(), pointsAt(['gpu=v100']), one);
    const { rows } = await sweepInto(folderWith(), pointsAt(['gpu=v100,a100-40gb,a100-80gb,h100,h200']), five);
    expect(one.runs.length).toBeGreaterThan(20);
    expect(five.runs.toSorted()).toEqual(one.runs.toSorted());
    const factors = rows.map(({ outcome }) => ('measured' in outcome ? outcome.measured.overGpu : 0));
    expect(new Set(factors).size).toBe(5);
  });

  test('no kernel is run twice, whichever points have it', async () => {
    const all = countingTimer();
    await sweepInto(folderWith(), pointsAt(['sparsity=0.5,0.6,0.7', 'machine.core.simdFp16=4,8', 'layers=1,2']), all);
    expect(new Set(all.runs).size).toBe(all.runs.length);
    const apart = countingTimer();
    for (const point of pointsAt(['sparsity=0.5,0.6,0.7']))
      await sweepInto(folderWith(), [point], countingFrom(apart.runs));
    const shared = countingTimer();
    await sweepInto(folderWith(), pointsAt(['sparsity=0.5,0.6,0.7']), shared);
    expect(shared.runs.toSorted()).toEqual([...new Set(apart.runs)].toSorted());
    expect(shared.runs.length).toBeLessThan(apart.runs.length / 2);
  });

  test('two names of one number are one point in two lines', async () => {
    const folder = folderWith();
    const { rows } = await sweepInto(folder, pointsAt(['sparsity=0.5,0.50']));
    expect(readdirSync(folder)).toEqual([`${rows[0].key}.json`]);
    expect(rows[1].outcome).toEqual(rows[0].outcome);
  });
});

/** A timer of its own that notes its runs among others. */
function countingFrom(runs: string[]) {
  const { timer, runs: own } = countingTimer(() => runs.push(own[own.length - 1]));
  return { timer };
}

describe('what is there', () => {
  const vary = ['sparsity=0.5,0.7', 'gpu=v100,h100'];

  test('is not run again, and gives the same table', async () => {
    const folder = folderWith();
    const first = await sweepInto(folder, pointsAt(vary));
    const again = countingTimer();
    const second = await sweepInto(folder, pointsAt(vary), again);
    expect(again.runs).toEqual([]);
    expect(second).toEqual({ rows: first.rows, there: 4 });
    const larger = await sweepInto(folder, pointsAt(['sparsity=0.5:0.7:0.1', 'gpu=v100,h100']));
    expect(larger.there).toBe(4);
    expect([0, 1, 4, 5].map((i) => larger.rows[i])).toEqual(first.rows);
  });

  test('does not count for another version, whose file is another', async () => {
    const folder = folderWith();
    await sweepInto(folder, pointsAt(['gpu=v100']));
    expect((await sweepInto(folder, pointsAt(['gpu=v100'], {}, '1.0.1'))).there).toBe(0);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    [
      'with another count',
      (text) => text.replace(/"cycles":(\d)/, (_, digit) => `"cycles":${(Number(digit) % 9) + 1}`),
    ],
    ['of another point', (text) => text.replace(/"input":"../, '"input":"zz')],
    ['of another format', (text) => text.replace(/"wafer-emulator report/, '"another report')],
  ])('is run again where it is %s', async (_, damage) => {
    const folder = folderWith();
    const points = readyOf(pointsAt(['gpu=v100,h100']));
    const first = await sweepInto(folder, points);
    const file = pointFile(folder, points[0].key);
    const whole = readFileSync(file, 'utf8');
    expect(damage(whole)).not.toBe(whole);
    writeFileSync(file, damage(whole));
    const second = await sweepInto(folder, points);
    expect(second).toEqual({ rows: first.rows, there: 1 });
    expect(withoutHost(readFileSync(file, 'utf8'))).toBe(withoutHost(whole));
  });
});

function withoutHost(report: string): string {
  return report.replace(/,"run":.*/, '');
}

describe('a point that fails', () => {
  test('keeps its exit code and message, and the others run', async () => {
    const vary = ['sparsity=0.5,2,0.7', 'machine.memory.sramBytes=4200,49152'];
    const { rows } = await sweepInto(folderWith(), pointsAt(vary));
    expect(codesOf(rows)).toEqual([3, 0, 2, 2, 3, 0]);
    const messages = rows.map(({ outcome }) => ('failure' in outcome ? outcome.failure.message : ''));
    expect(messages[0]).toContain('tiny does not fit');
    expect(messages[2]).toBe('--vary sparsity=2: out of range, got 2, allowed a number 0 to 1');
    expect(rows[2].key).toBeNull();
  });

  test('by a defect is exit 1, with the stack', async () => {
    let calls = 0;
    const failing = countingTimer((kernel) => {
      if (kernel === 'spmm' && ++calls === 1) throw new TypeError('planted');
    });
    const { rows } = await sweepInto(folderWith(), pointsAt(['sparsity=0.5,0.7,0.9']), failing);
    expect(codesOf(rows)).toEqual([1, 0, 0]);
    expect(rows[0].outcome).toMatchObject({
      failure: { message: expect.stringMatching(/^internal: .*planted\n +at /) },
    });
  });

  test('is tried again by the next sweep', async () => {
    const folder = folderWith();
    const points = pointsAt(['machine.memory.sramBytes=4200,49152']);
    await sweepInto(folder, points);
    expect(readdirSync(folder)).toHaveLength(1);
    const { rows, there } = await sweepInto(folder, points);
    expect([there, codesOf(rows)]).toEqual([1, [3, 0]]);
  });
});

test('an interrupt ends the sweep with 130; what was done stays, and no more is begun', async () => {
  const folder = folderWith();
  const abort = new AbortController();
  const points = readyOf(pointsAt(['sparsity=0:0.9:0.1']));
  const done: number[] = [];
  const onProgress = (now: number): void => {
    done.push(now);
    if (now === 2) abort.abort();
  };
  const { timer } = countingTimer();
  const interrupted = sweepInto(folder, points, { signal: abort.signal, onProgress, timer });
  await expect(interrupted).rejects.toMatchObject({ code: EXIT.interrupted });
  // One more was under way.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(done.slice(0, 3)).toEqual([0, 1, 2]);
  const kept = readdirSync(folder).length;
  expect(kept).toBeGreaterThanOrEqual(2);
  expect(kept).toBeLessThanOrEqual(3);
  expect((await sweepInto(folder, points)).there).toBe(kept);
});

test('a folder that cannot be written ends the sweep with 2 and leaves nothing behind', async () => {
  const folder = folderWith();
  const gone = sweepInto(`${folder}/gone`, pointsAt(['gpu=v100']));
  await expect(gone).rejects.toThrow(EmulateError);
  await expect(gone).rejects.toMatchObject({ code: EXIT.input, message: expect.stringContaining('cannot be written') });
  expect(readdirSync(folder)).toEqual([]);
});

test('after a file that cannot be written no more points are begun', async () => {
  const folder = folderWith();
  const points = readyOf(pointsAt(['sparsity=0.1:0.8:0.1']));
  // A folder where the file should be: the text is written beside it, and cannot be renamed.
  const inTheWay = pointFile(folder, points[0].key);
  mkdirSync(inTheWay);
  await expect(sweepInto(folder, points)).rejects.toMatchObject({ code: EXIT.input });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  // At most the one that was under way beside it, and the next.
  expect(readdirSync(folder).length).toBeLessThanOrEqual(3);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
