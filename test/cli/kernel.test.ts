// `emulate kernel` from its arguments to its lines: the vectors through both engines, masks, and what it refuses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import yargs from 'yargs';
import { z } from 'zod';
import { kernelCommand } from '../../cli/commands/kernel.ts';
import { EXIT } from '../../emulator/errors.ts';

const vectors = fileURLToPath(new URL('../vectors/machine-vectors.json', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kernel-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const answer = z.object({ cycles: z.union([z.number(), z.literal('deadlock')]), where: z.unknown().optional() });
const line = answer.extend({ engine: z.string(), path: z.string().optional(), why: z.string().optional() });

async function emulate(...args: string[]): Promise<string> {
  const written: string[] = [];
  const stream = {
    isTTY: false,
    write: (text: string) => {
      written.push(text);
      return Promise.resolve();
    },
  };
  const io = { stdout: stream, stderr: stream, env: {}, signal: new AbortController().signal };
  const parser = yargs(['kernel', ...args])
    .command(kernelCommand(io))
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  await parser.parseAsync();
  return written.join('');
}

function linesOf(text: string): z.output<typeof line>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((one) => line.parse(JSON.parse(one)));
}

test.each(['stepped', 'streamed'])('the vectors, %s', async (engine) => {
  const { cases } = z.object({ cases: z.array(answer) }).parse(JSON.parse(readFileSync(vectors, 'utf8')));
  const lines = linesOf(await emulate('--spec', vectors, '--engine', engine, '--json', '-'));
  expect(lines).toHaveLength(168);
  lines.forEach(({ cycles, where }, i) => {
    expect(cycles).toBe(cases[i].cycles);
    if (cases[i].where !== undefined) expect(where).toEqual(cases[i].where);
  });
});

const small = ['spmm', '--rows=3', '--cols=9', '--in=60', '--out=40', '--tokens=8', '--accumulators=3', '--seed=5'];

test.each([
  ['0.75', 'fp16'],
  ['0', 'fp32'],
])('a random mask of sparsity %s in %s by both engines', async (sparsity, accumulate) => {
  const args = [...small, '--sparsity', sparsity, '--accumulate', accumulate, '--json', '-'];
  const [stepped] = linesOf(await emulate(...args, '--engine', 'stepped'));
  const [streamed] = linesOf(await emulate(...args, '--engine', 'streamed'));
  expect(stepped.engine).toBe('stepped');
  expect(streamed.engine).toBe('streamed');
  expect(streamed.cycles).toBe(stepped.cycles);
  expect(streamed.where).toEqual(stepped.where);
});

test('lines of PEs by both engines', async () => {
  const args = ['chainReduce', '--width', '12', '--wavelets', '30', '--json', '-'];
  const [stepped] = linesOf(await emulate(...args, '--engine', 'stepped'));
  const [streamed] = linesOf(await emulate(...args));
  expect(streamed.path).toBe('time stamps');
  expect([streamed.cycles, streamed.where]).toEqual([stepped.cycles, stepped.where]);
});

test('a summary adds up, and a file holds the line', async () => {
  const text = await emulate(...small, '--sparsity', '0.5');
  const percents = [...text.matchAll(/^ {4}\w+ +([\d.]+) %$/gm)].map(([, percent]) => Number(percent));
  expect(percents).toHaveLength(8);
  expect(percents.reduce((a, b) => a + b)).toBeCloseTo(100, 0);
  const file = join(folder, 'line.json');
  expect(await emulate(...small, '--sparsity', '0.5', '--json', file)).toBe('');
  const line = await emulate(...small, '--sparsity', '0.5', '--json', '-');
  expect(readFileSync(file, 'utf8')).toBe(line);
});

test.each([
  [['spnm'], /unknown value, got "spnm".*did you mean "spmm"/],
  [[], /no kernel.*allowed spmm/],
  [['spmm', '--rows', '3'], /--cols: missing/],
  [['spmm', '--rows', 'three'], /--rows: got "three", allowed a whole number 1 to/],
  [[...small, '--sparsity', '1.5'], /--sparsity: got "1.5", allowed a number 0 to 1/],
  [['spmm', '--rows', '1', '--cols', '5000'], /--cols: got "5000", allowed a whole number 1 to/],
  [[...small, '--sparsity', '0', '--engine', 'steped'], /--engine: .*did you mean "stepped"/],
  [[...small, '--sparsity', '0', '--machine', 'wse9'], /--machine wse9: no such file; .*did you mean "wse/],
  [['--spec', 'nowhere.json'], /nowhere.json: no such file/],
])('refuses %j', async (args, message) => {
  const run = emulate(...args);
  await expect(run).rejects.toThrow(message);
  await expect(run).rejects.toMatchObject({ code: EXIT.input });
});

const machine = { rampLatency: 2, routerBuffer: 2, inputQueue: 6, outputQueue: 6, creditLatency: 1, resultLatency: 1 };
const spmm = {
  kernel: 'spmm',
  machine,
  rows: 1,
  cols: 2,
  tokens: 4,
  nnz: [
    [1, 2],
    [0, 1],
  ],
  accumulators: 1,
  gap: [1, 1],
  axpyOverhead: 2,
  controlSlots: 5,
  simd: 4,
  psumPerWavelet: 2,
};

test.each([
  [{ ...spmm, kernel: 'spm' }, /kernel: unknown value, got "spm".*did you mean "spmm"/],
  [{ ...spmm, rowz: 1 }, /unknown key, got "rowz"/],
  [{ cases: [spmm, { ...spmm, gap: [1, 2] }] }, /cases\.1\.gap: not a gap, got \[1,2\]/],
  [{ ...spmm, nnz: [[1, 2], [1]] }, /nnz\.1: wrong length, got 1 counts, allowed a list of 2/],
  [{ ...spmm, nnz: [[1, -2]] }, /nnz\.0\.1: not a count, got -2/],
  [{ cases: [] }, /cases: no case/],
  [
    { kernel: 'broadcast', machine: { ...machine, inputQueue: 0 }, width: 2, wavelets: 1 },
    /inputQueue: out of range, got 0/,
  ],
])('refuses a file, %#', async (content, message) => {
  const file = join(folder, 'wrong.json');
  writeFileSync(file, JSON.stringify(content, null, 2));
  const run = emulate('--spec', file);
  await expect(run).rejects.toThrow(message);
  await expect(run).rejects.toMatchObject({ code: EXIT.input });
});
