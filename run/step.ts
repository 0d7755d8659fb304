// The time of one kernel: the fastest exact engine for it, and which one that was. This is what a worker does.

import { LawError } from '../emulator/laws.ts';
import type { MatmulStep, MeshShape, StepShape } from '../compiler/lower/program.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import { hopsOf } from '../emulator/program/hops.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { kernels, timingProgram } from '../kernels/index.ts';
import { balancedCells } from '../kernels/spmm/balanced.ts';
import { countCells, type Room, sharedRoom } from '../kernels/spmm/counts.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { SPMM_COLORS } from '../kernels/spmm/ringProgram.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import { timeProgram } from './meshTime.ts';
import { smallestStep } from './smallestStep.ts';
import { byColumn, checkColors, countsOf, linePeCounts, rowTraffic, type StepTiming } from './stepTiming.ts';
import { chunkRows, timeSums, timeWeightGradient } from './weightGradient.ts';

/** Do the rows of a kernel follow from one of them, each a cycle later? */
export function isFolded(kernel: StepShape['kernel']): boolean {
  return kernel !== 'weightGradient' && kernels[kernel].rows === 'shifted';
}

/** `perPe` asks for the counts of every PE. A law that breaks comes with the smallest case that breaks it (smallestStep.ts). */
export function timeStep(shape: StepShape, machine: Machine, perPe: boolean = false): StepTiming {
  try {
    return timeShape(shape, machine, perPe);
  } catch (error) {
    if (!(error instanceof LawError)) throw error;
    throw new LawError(
      error.law,
      error.message,
      smallestStep(shape, machine, error.law, {
        time: (smaller, on) => timeShape(smaller, on, false),
        matmuls: matmulsOf,
      }),
    );
  }
}

function timeShape(shape: StepShape, machine: Machine, perPe: boolean): StepTiming {
  if (shape.kernel === 'spmm') return timeMatmul(shape, machine, perPe);
  if (shape.kernel === 'weightGradient') return timeWeightGradient(shape, machine, perPe);
  return shape.kernel === 'columnReduce' ? timeSums(shape, machine, perPe) : timeMesh(shape, machine, perPe);
}

function matmulsOf(shape: StepShape, machine: Machine): Iterable<SpmmShape> {
  if (shape.kernel === 'weightGradient') return chunkRows(shape, machine);
  return shape.kernel === 'spmm' ? [matmulShape(shape, machine)] : [];
}

function timeMesh(shape: MeshShape, machine: Machine, perPe: boolean): StepTiming {
  const program = timingProgram(shape, machine);
  checkColors(shape.kernel, Math.max(0, ...program.routes.map(({ color }) => color + 1)), machine);
  const { where, ...timing } = timeProgram(program, latenciesOf(machine));
  const { width, height, streams } = program;
  const entering = streams.reduce((sum, { control }) => sum + control.length, 0);
  const traffic = { width, hops: hopsOf(program), entering, leaving: 0 };
  const found = { ...timing, pes: width * height, ...countsOf(where), traffic };
  return perPe ? { ...found, perPe: linePeCounts(where, width, height) } : found;
}

/** The matmul as the engines take it: one row, its cells counted. */
export function matmulShape(step: MatmulStep, machine: Machine, room?: Room): SpmmShape {
  const { weights, cols, tokens, accumulators, gap, accumulate } = step;
  const { axpyOverhead, controlSlots, simdFp16, simdFp16ToFp32 } = machine.core;
  const { ends } = streamOrder(weights.output, cols);
  const drawn = countCells(weights, cols, room);
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

function timeMatmul(step: MatmulStep, machine: Machine, perPe: boolean): StepTiming {
  checkColors('spmm', SPMM_COLORS, machine);
  const shape = matmulShape(step, machine, sharedRoom);
  const { engine, path, why, cycles, where } = timeSpmm(shape, 'auto');
  const counts = countsOf(where);
  const traffic = rowTraffic(shape, counts.totals[CAUSE.compute]);
  const found: StepTiming = { engine, path, why, cycles, pes: step.cols, ...counts, traffic };
  return perPe ? { ...found, perPe: linePeCounts(byColumn(where, step.cols), step.cols, 1) } : found;
}
