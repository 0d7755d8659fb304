// The gradient by the weights of small matrices: its time against the stepped engine on all rows and columns, kernel by
// kernel, and its sums against a plain reference.

import { describe, expect, test } from 'vitest';
import type { WeightGradientStep } from '../../compiler/lower/program.ts';
import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { columnReduce } from '../../kernels/columnReduce.ts';
import { balancedCells } from '../../kernels/spmm/balanced.ts';
import { countCells } from '../../kernels/spmm/counts.ts';
import { featureCount, type Layout, streamOrder } from '../../kernels/spmm/layout.ts';
import { gradientRow, sumWavelets } from '../../kernels/weightGradient/shape.ts';
import { weightGradientProgram } from '../../kernels/weightGradient/program.ts';
import { timeWeightGradient } from '../../run/weightGradient.ts';
import { draws } from '../fixtures/draws.ts';
import { anyLatencies, machineWith, rateOneLatencies, WSE2 } from '../fixtures/machines.ts';

const strided = (features: number): Layout => ({ kind: 'strided', features });

function caseOf(seed: number): { step: WeightGradientStep; machine: Machine } {
  const draw = draws(seed);
  const { int, pick, chance } = draw;
  const cols = int(1, 9);
  const [heads, headDim] = [int(1, 4), 2 * int(1, 4)];
  const byHead: Layout = { kind: 'heads', heads, headDim, pairs: chance(0.5), parts: [heads, heads, heads] };
  const output = pick<Layout>([strided(int(1, 40)), strided(int(1, 40)), byHead]);
  const input = strided(int(1, 30));
  const sparsity = pick([0, 0.5, 0.8, 0.95]);
  const weights = {
    mask: { name: 'w', seed, sparsity, rows: featureCount(output), width: featureCount(input) },
    input,
    output,
  };
  const features = int(3, 30);
  const step: WeightGradientStep = {
    kernel: 'weightGradient',
    weights,
    cols,
    rows: int(1, 4),
    tokens: pick([() => int(1, 8), () => int(20, 50)])(),
    buffers: int(1, 5),
    sums: 10_000,
    features,
    gap: pick([
      [1, 1],
      [7, 3],
      [5, 1],
    ] as const),
    outGap: pick([
      [1, 1],
      [7, 3],
      [5, 1],
    ] as const),
    accumulate: pick(['fp16', 'fp32']),
    ...(chance(0.2) ? { zeros: 'balanced' as const } : {}),
  };
  return {
    step,
    machine: machineWith(pick([() => WSE2, () => WSE2, () => rateOneLatencies(draw), () => anyLatencies(draw)])()),
  };
}

/** Each kernel on every PE of the group, in the stepped engine. */
function stepped(step: WeightGradientStep, machine: Machine): { cycles: number; totals: number[]; kernels: number } {
  const { weights, cols, rows, tokens, buffers, gap, accumulate } = step;
  const latencies = latenciesOf(machine);
  const { ends } = streamOrder(weights.output, cols);
  const drawn = countCells(weights, cols);
  const nnz = step.zeros === 'balanced' ? balancedCells(drawn, cols) : drawn;
  const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
  let cycles = 0;
  let kernels = 0;
  const add = (run: { cycles: number; where: Int32Array }): void => {
    cycles += run.cycles;
    kernels++;
    run.where.forEach((count, i) => (totals[i % CAUSE_COUNT] += count));
  };
  for (let from = 0; from < ends.length; from += step.features) {
    const until = Math.min(from + step.features, ends.length);
    const cells = nnz.slice(from * cols, until * cols);
    const row = gradientRow(
      { rows, cols, tokens, nnz: cells, owners: ends.slice(from, until), buffers, gap, accumulate },
      machine,
    );
    add(runStepped(weightGradientProgram(row), latencies));
    const sums = Array.from({ length: cols }, (_, p) => cells.reduce((sum, n, i) => sum + (i % cols === p ? n : 0), 0));
    const wavelets = sumWavelets(Math.max(1, ...sums), accumulate);
    add(
      runStepped(
        columnReduce.program({ kernel: 'columnReduce', rows, cols, wavelets, gap: step.outGap }, machine),
        latencies,
      ),
    );
  }
  return { cycles, totals, kernels };
}

test('random cases: cycles, and the causes of all PEs', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { step, machine } = caseOf(seed);
    const { cycles, totals, pes } = timeWeightGradient(step, machine);
    const judge = stepped(step, machine);
    // Starts between its kernels are its own.
    const starts = (judge.kernels - 1) * machine.core.kernelStart;
    const overhead = judge.totals[CAUSE.overhead] + starts * step.rows * step.cols;
    const message = `seed ${seed}: ${JSON.stringify(step)}`;
    expect(cycles, message).toBe(judge.cycles + starts);
    expect(totals, message).toEqual(judge.totals.map((count, c) => (c === CAUSE.overhead ? overhead : count)));
    expect(totals.reduce((a, b) => a + b, 0)).toBe(cycles * pes);
  }
});

describe('room for sums', () => {
  test('too little is refused, by what there would have to be', () => {
    const { step, machine } = caseOf(1);
    expect(() => timeWeightGradient({ ...step, sums: 1 }, machine)).toThrow(
      /the gradient of w does not fit: sums of a chunk are \d+ in the fullest column, the limit is 1/,
    );
  });
});
