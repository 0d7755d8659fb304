// The time of one kernel: the fastest exact engine for it, and which one that was. This is what a worker does.

import { LawError } from '../emulator/laws.ts';
import type { MatmulStep, MeshShape, StepShape } from '../compiler/lower/program.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { COLUMN_REDUCE_COLORS, type ColumnReduceShape } from '../kernels/columnReduce.ts';
import { columnReduceTime } from '../kernels/columnReduceTime.ts';
import { kernels, timingProgram } from '../kernels/index.ts';
import { balancedCells } from '../kernels/spmm/balanced.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { SPMM_COLORS } from '../kernels/spmm/ringProgram.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import { timeProgram } from './meshTime.ts';
import { smallestStep } from './smallestStep.ts';
import { checkColors, countsOf, type StepTiming } from './stepTiming.ts';
import { chunkRows, timeSums, timeWeightGradient } from './weightGradient.ts';

/** Do the rows of a kernel follow from one of them, each a cycle later? */
export function isFolded(kernel: StepShape['kernel']): boolean {
  return kernel !== 'weightGradient' && kernels[kernel].rows === 'shifted';
}

/** A law that breaks comes with the smallest case that breaks it (smallestStep.ts). */
export function timeStep(shape: StepShape, machine: Machine): StepTiming {
  try {
    return timeShape(shape, machine);
  } catch (error) {
    if (!(error instanceof LawError)) throw error;
    throw new LawError(
      error.law,
      error.message,
      smallestStep(shape, machine, error.law, { time: timeShape, matmuls: matmulsOf }),
    );
  }
}

function timeShape(shape: StepShape, machine: Machine): StepTiming {
  if (shape.kernel === 'spmm') return timeMatmul(shape, machine);
  if (shape.kernel === 'weightGradient') return timeWeightGradient(shape, machine);
  return shape.kernel === 'columnReduce' ? timeSums(shape, machine) : timeMesh(shape, machine);
}

function matmulsOf(shape: StepShape, machine: Machine): Iterable<SpmmShape> {
  if (shape.kernel === 'weightGradient') return chunkRows(shape, machine);
  return shape.kernel === 'spmm' ? [matmulShape(shape, machine)] : [];
}

function timeMesh(shape: MeshShape, machine: Machine): StepTiming {
  const closed = shape.kernel === 'columnReduce' ? timeColumnReduce(shape, machine) : undefined;
  if (closed !== undefined) return closed;
  const program = timingProgram(shape, machine);
  checkColors(shape.kernel, Math.max(0, ...program.routes.map(({ color }) => color + 1)), machine);
  const { where, ...timing } = timeProgram(program, latenciesOf(machine));
  return { ...timing, pes: program.width * program.height, ...countsOf(where) };
}

/** In closed form, if that holds. */
function timeColumnReduce(shape: ColumnReduceShape, machine: Machine): StepTiming | undefined {
  const time = columnReduceTime(shape, machine);
  if (time === undefined) return undefined;
  checkColors(shape.kernel, COLUMN_REDUCE_COLORS, machine);
  const { totals, slots } = countsOf(time.where);
  const { rows, cols } = shape;
  const found = { engine: 'streamed', path: 'closed form', why: '' } as const;
  return { ...found, cycles: time.cycles, pes: rows * cols, totals: totals.map((count) => cols * count), slots };
}

/** The matmul as the engines take it: one row, its cells counted. */
export function matmulShape(step: MatmulStep, machine: Machine): SpmmShape {
  const { weights, cols, tokens, accumulators, gap, accumulate } = step;
  const { axpyOverhead, controlSlots, simdFp16, simdFp16ToFp32 } = machine.core;
  const { ends } = streamOrder(weights.output, cols);
  const drawn = countCells(weights, cols);
  const nnz = step.zeros === 'balanced' ? balancedCells(drawn, cols) : drawn;
  const half = accumulate === 'fp16';
  return {
    rows: 1,
    cols,
    features: ends.length,
    ends,
    tokens,
    nnz,
    accumulators,
    gap,
    axpyOverhead,
    controlSlots,
    simd: half ? simdFp16 : simdFp16ToFp32,
    psumPerWavelet: half ? 2 : 1,
    latencies: latenciesOf(machine),
  };
}

function timeMatmul(step: MatmulStep, machine: Machine): StepTiming {
  checkColors('spmm', SPMM_COLORS, machine);
  const { engine, path, why, cycles, where } = timeSpmm(matmulShape(step, machine), 'auto');
  return { engine, path, why, cycles, pes: step.cols, ...countsOf(where) };
}
