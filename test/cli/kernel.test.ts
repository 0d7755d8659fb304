// `emulate kernel` from its arguments to its lines: the vectors through both engines, masks, and what it refuses.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import yargs from 'yargs';
import { z } from 'zod';
import { kernelCommand } from '../../cli/commands/kernel.ts';
import { EXIT } from '../../emulator/errors.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { countCells } from '../../kernels/spmm/counts.ts';
import { weightGradientProgram } from '../../kernels/weightGradient/program.ts';
import { gradientRow } from '../../kernels/weightGradient/shape.ts';

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

describe('weightGradient', () => {
  const [, ...flags] = small;
  const args = ['weightGradient', ...flags, '--sparsity', '0.75', '--json', '-'];

  test.each(['fp16', 'fp32'] as const)('sums in %s by both engines, and as its own program', async (accumulate) => {
    const of = [...args, '--accumulate', accumulate];
    const [stepped] = linesOf(await emulate(...of, '--engine', 'stepped'));
    const [streamed] = linesOf(await emulate(...of, '--engine', 'streamed'));
    expect([stepped.engine, streamed.engine]).toEqual(['stepped', 'streamed']);
    expect([streamed.cycles, streamed.where]).toEqual([stepped.cycles, stepped.where]);
    const { machine } = machinePresets.wse2;
    const mask = { name: 'spmm', seed: 5, sparsity: 0.75, rows: 40, width: 60 };
    const [input, output] = [60, 40].map((features) => ({ kind: 'strided', features }) as const);
    const nnz = countCells({ mask, input, output }, 9);
    const owners = Uint16Array.from({ length: 40 }, (_, n) => n % 9);
    const row = { rows: 3, cols: 9, tokens: 8, nnz, owners, buffers: 3, gap: [1, 1], accumulate } as const;
    const judge = runStepped(weightGradientProgram(gradientRow(row, machine)), latenciesOf(machine));
    expect(stepped.cycles).toBe(judge.cycles);
  });

  test('a file, whose owners may be left out', async () => {
    const { spmmCase, cases } = gradientSpecs();
    const file = join(folder, 'gradient.json');
    writeFileSync(file, JSON.stringify({ cases }));
    const [usual, same, other] = linesOf(await emulate('--spec', file, '--json', '-'));
    expect(same).toEqual(usual);
    expect(other.where).not.toEqual(usual.where);
    const [stepped] = linesOf(await emulate('--spec', file, '--engine', 'stepped', '--json', '-'));
    expect([stepped.cycles, stepped.where]).toEqual([usual.cycles, usual.where]);
    writeFileSync(file, JSON.stringify(spmmCase));
    expect(linesOf(await emulate('--spec', file, '--json', '-'))).toEqual([usual]);
  });

  test('a summary names it', async () => {
    const text = await emulate(...args.slice(0, -2));
    expect(text).toMatch(/^weightGradient on wse2: 9 x 3 PEs\n/);
    expect(text).toContain('slowest      ring position');
  });
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

/** The same gradient three times, the last with other owners, and as the matmul that the engines take it for. */
function gradientSpecs() {
  const { accumulators: buffers, psumPerWavelet, ...rest } = spmm;
  const gradient = { ...rest, kernel: 'weightGradient', buffers, nnz: [...rest.nnz, [3, 0]] };
  const cases = [gradient, { ...gradient, owners: [0, 1, 0] }, { ...gradient, owners: [1, 0, 1] }];
  const rotated = { nnz: [[0, 0], ...gradient.nnz], waves: 3, ends: [1, 0, 1] };
  return { cases, spmmCase: { ...spmm, ...rotated, psumPerWavelet } };
}

test.each([
  [{ ...spmm, kernel: 'spm' }, /kernel: unknown value, got "spm".*did you mean "spmm"/],
  [{ ...spmm, rowz: 1 }, /unknown key, got "rowz"/],
  [{ cases: [spmm, { ...spmm, gap: [1, 2] }] }, /cases\.1\.gap: not a gap, got \[1,2\]/],
  [{ ...spmm, nnz: [[1, 2], [1]] }, /nnz\.1: wrong length, got 1 counts, allowed a list of 2/],
  [{ ...spmm, nnz: [[1, -2]] }, /nnz\.0\.1: not a count, got -2/],
  [{ cases: [] }, /cases: no case/],
  [{ ...gradientSpecs().cases[0], owners: [0, 0, 1] }, /owners\.1: not a position, got 0/],
  [{ ...gradientSpecs().cases[0], gap: [1] }, /gap: not a gap, got \[1\]/],
  [{ ...gradientSpecs().cases[0], accumulators: 2 }, /unknown key, got "accumulators"/],
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
