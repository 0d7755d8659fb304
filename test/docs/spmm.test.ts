// examples/02-spmm: the numbers of its text, from runs.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { edgeWaveletsPerCycle } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { countCells } from '../../kernels/spmm/counts.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { WSE2 } from '../fixtures/machines.ts';

const readme = readFileSync(new URL('../../examples/02-spmm/README.md', import.meta.url), 'utf8');
const SIDE = 12_288;
const edge = edgeWaveletsPerCycle(machinePresets.wse2.machine);

function matmul(sparsity: number, cols: number, accumulators: number) {
  const perCycle = sparsity === 0 ? 2 * edge : edge;
  const features = { kind: 'strided', features: SIDE } as const;
  const mask = { name: 'spmm', seed: 1, sparsity, rows: SIDE, width: SIDE };
  return timeSpmm(
    {
      rows: 994,
      cols,
      features: SIDE,
      tokens: 64,
      nnz: countCells({ mask, input: features, output: features }, cols),
      accumulators,
      gap: cols > perCycle ? [cols, perCycle] : [1, 1],
      axpyOverhead: 5,
      controlSlots: 1,
      simd: 4,
      psumPerWavelet: 2,
      latencies: WSE2,
    },
    'auto',
  );
}

const inText = (cycles: number): string => cycles.toLocaleString('en-US');

/** Percent of all cycles that count for a cause, in the first row. */
function share({ cycles, where }: ReturnType<typeof matmul>, cause: number): string {
  let sum = 0;
  for (let i = cause; i < where.length; i += CAUSE_COUNT) sum += where[i];
  return ((100 * sum * CAUSE_COUNT) / (cycles * where.length)).toFixed(1);
}

test('speed-ups on 96 columns with 4 accumulators', () => {
  const dense = matmul(0, 96, 4);
  for (const [label, sparsity] of [
    ['50 %', 1 / 2],
    ['75 %', 3 / 4],
    ['80 %', 4 / 5],
    ['87.5 %', 7 / 8],
    ['88.89 %', 8 / 9],
  ] as const) {
    const { cycles } = matmul(sparsity, 96, 4);
    expect(readme).toContain(`| ${label} | ${inText(cycles)} | ${(dense.cycles / cycles).toFixed(2)} |`);
  }
  const sparse = matmul(0.75, 96, 4);
  expect(readme).toContain(`${inText(dense.cycles)} cycles dense, ${inText(sparse.cycles)} at 75 %`);
  const from = (cause: number): string => `${share(dense, cause)} % to ${share(sparse, cause)} %`;
  expect(readme).toContain(`falls from ${from(CAUSE.compute)}`);
  expect(readme).toContain(`the reduction (${from(CAUSE.reduce)})`);
  expect(readme).toContain(`\`waitThread\` (${from(CAUSE.waitThread)})`);
});

test('one accumulator', () => {
  const sparse = matmul(0.75, 96, 1);
  expect(readme).toContain(`${inText(sparse.cycles)} cycles at 75 %`);
  expect(readme).toContain(
    `${(matmul(0, 96, 1).cycles / sparse.cycles).toFixed(2)}, with ${share(sparse, CAUSE.waitThread)} %`,
  );
});

test('more columns', () => {
  const dense = matmul(0, 375, 4);
  const sparse = matmul(8 / 9, 375, 4);
  expect(readme).toContain(`dense takes ${inText(dense.cycles)} cycles`);
  expect(readme).toContain(`speed-up is ${(dense.cycles / sparse.cycles).toFixed(2)} instead of 7.72`);
  expect(readme).toContain(`${share(sparse, CAUSE.reduce)} % of all cycles in \`reduce\``);
});
