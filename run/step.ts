// The time of one kernel: the fastest exact engine for it, and which one that was. This is what a worker does.

import { EmulateError, EXIT } from '../emulator/errors.ts';
import type { MatmulStep, StepShape } from '../compiler/lower/program.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, whereAt } from '../emulator/program/causes.ts';
import { runStepped } from '../emulator/stepped/engine.ts';
import { runDataflow, whyNotDataflow } from '../emulator/streamed/dataflow.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { kernels, type KernelName, timingProgram } from '../kernels/index.ts';
import { balancedCells } from '../kernels/spmm/balanced.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { SPMM_COLORS } from '../kernels/spmm/program.ts';
import { timeSpmm } from '../kernels/spmm/time.ts';
import type { EngineUse, Slots } from './result.ts';

export interface StepTiming extends EngineUse {
  /** Of the rectangle; where rows are folded, of one row. */
  readonly cycles: number;
  readonly pes: number;
  /** Cycles of all its PEs by cause, in the order of CAUSES; they add up to cycles * pes. */
  readonly totals: readonly number[];
  /** Of the PE that issues the most. */
  readonly slots: Slots;
}

/** Do the rows of a kernel follow from one of them, each a cycle later? */
export function isFolded(kernel: KernelName): boolean {
  return kernels[kernel].rows === 'shifted';
}

export function timeStep(shape: StepShape, machine: Machine): StepTiming {
  if (shape.kernel === 'spmm') return timeMatmul(shape, machine);
  const program = timingProgram(shape, machine);
  checkColors(shape.kernel, Math.max(0, ...program.routes.map(({ color }) => color + 1)), machine);
  const latencies = latenciesOf(machine);
  const pes = program.width * program.height;
  const notDataflow = whyNotDataflow(program);
  const run = notDataflow === undefined ? runDataflow(program, latencies) : undefined;
  if (run !== undefined)
    return { engine: 'streamed', path: 'time stamps', why: '', cycles: run.cycles, pes, ...countsOf(run.where) };
  const { cycles, where } = runStepped(program, latencies);
  const why = notDataflow ?? 'two colors met at a port';
  return { engine: 'stepped', path: 'stepped mesh', why, cycles, pes, ...countsOf(where) };
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

/** Throws (exit 3) where a kernel needs more colors than a router knows. */
function checkColors(kernel: string, colors: number, { fabric }: Machine): void {
  if (colors <= fabric.colors) return;
  const message = `${kernel} does not fit: it needs ${colors} colors, the limit is ${fabric.colors} (${colors - fabric.colors} too many); what would help: a machine with more colors`;
  throw new EmulateError(EXIT.doesNotFit, message);
}

function timeMatmul(step: MatmulStep, machine: Machine): StepTiming {
  checkColors('spmm', SPMM_COLORS, machine);
  const { engine, path, why, cycles, where } = timeSpmm(matmulShape(step, machine), 'auto');
  return { engine, path, why, cycles, pes: step.cols, ...countsOf(where) };
}

/** Of the causes of each PE: their totals, and the slots of the PE that issues the most, of several the first. */
function countsOf(where: ArrayLike<number>): Pick<StepTiming, 'totals' | 'slots'> {
  const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
  let fullest = 0;
  let most = -1;
  for (let pe = 0; pe < where.length; pe += CAUSE_COUNT) {
    for (let c = 0; c < CAUSE_COUNT; c++) totals[c] += where[pe + c];
    const slots = where[pe + CAUSE.compute] + where[pe + CAUSE.overhead] + where[pe + CAUSE.reduce];
    if (slots <= most) continue;
    most = slots;
    fullest = pe;
  }
  const { compute, overhead, reduce } = whereAt(where, fullest);
  return { totals, slots: { compute, overhead, reduce } };
}
