// The time of a gradient by the weights: chunk after chunk of output features, as many as the sums of their non-zeros have
// room in memory, the products of all tokens of a PE, and then their sums over the rows, which leave. A barrier, and the
// start of a kernel, lies between any two.

import type { WeightGradientStep } from '../compiler/lower/program.ts';
import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../emulator/program/causes.ts';
import { addShifts, foldedCycles, foldedTotals } from '../emulator/streamed/fold.ts';
import { columnReduce, type ColumnReduceShape } from '../kernels/columnReduce.ts';
import { columnReduceTime } from '../kernels/columnReduceTime.ts';
import { balancedCells } from '../kernels/spmm/balanced.ts';
import { countCells } from '../kernels/spmm/counts.ts';
import { streamOrder } from '../kernels/spmm/layout.ts';
import { SPMM_COLORS } from '../kernels/spmm/ringProgram.ts';
import type { SpmmShape } from '../emulator/streamed/shape.ts';
import { type Path, timeSpmm } from '../kernels/spmm/time.ts';
import { gradientRow, sumWavelets } from '../kernels/weightGradient/shape.ts';
import { timeProgram } from './meshTime.ts';
import {
  byColumn,
  checkColors,
  countsOf,
  foldedHops,
  linePeCounts,
  rowTraffic,
  type StepTiming,
} from './stepTiming.ts';

/** Slowest last: the one that is told of a step is that of its slowest chunk. */
const PATHS: readonly Path[] = ['closed form', 'token level', 'lookahead', 'stepped mesh'];

export function timeWeightGradient(step: WeightGradientStep, machine: Machine, perPe: boolean = false): StepTiming {
  checkColors('weightGradient', SPMM_COLORS, machine);
  const { cols, rows, accumulate } = step;
  const { kernelStart } = machine.core;
  // Of all rows, and of each position in the slots that all its rows issue alike.
  const totals = new Float64Array(CAUSE_COUNT);
  const where = new Float64Array(cols * CAUSE_COUNT);
  // Of each row: what its sums take, and what it does later than the first.
  const ofRows = new Float64Array(perPe ? rows * CAUSE_COUNT : 0);
  let entering = 0;
  let leaving = 0;
  let hops = 0;
  let cycles = -kernelStart;
  let slowest = { path: PATHS[0], why: '' };
  let chunks = 0;
  for (const row of chunkRows(step, machine)) {
    const products = timeSpmm(row, 'auto');
    const wavelets = sumWavelets(sumsOf(step, row.nnz), accumulate);
    const sums = timeSums({ kernel: 'columnReduce', rows, cols: 1, wavelets, gap: step.outGap }, machine, perPe);
    cycles += 2 * kernelStart + foldedCycles(products.cycles, rows) + sums.cycles;
    const folded = foldedTotals(products.where, rows);
    for (let c = 0; c < CAUSE_COUNT; c++) totals[c] += folded[c] + cols * sums.totals[c];
    for (let i = 0; i < where.length; i++) where[i] += products.where[i];
    const traffic = rowTraffic(row, computeSlots(products.where));
    entering += traffic.entering;
    hops += foldedHops(traffic, rows) + cols * sums.traffic.hops;
    if (sums.perPe !== undefined) {
      for (let i = 0; i < ofRows.length; i++) ofRows[i] += sums.perPe.rows[i];
      addShifts(ofRows, 1);
    }
    leaving += cols * wavelets;
    if (PATHS.indexOf(products.path) > PATHS.indexOf(slowest.path)) slowest = products;
    chunks++;
  }
  const columns = byColumn(where, cols);
  for (let p = 0; p < cols; p++) where[p * CAUSE_COUNT + CAUSE.reduce] += leaving / cols;
  const { slots } = countsOf(where);
  // The starts between its kernels; the first one is counted with those of other steps.
  const starts = (2 * chunks - 1) * kernelStart;
  totals[CAUSE.overhead] += starts * rows * cols;
  for (let x = 0; x < cols; x++) columns[x * CAUSE_COUNT + CAUSE.overhead] += starts;
  return {
    ...(perPe ? { perPe: { columns, rows: ofRows } } : {}),
    engine: 'streamed',
    path: slowest.path,
    why: slowest.why,
    cycles,
    pes: rows * cols,
    totals: Array.from(totals),
    slots: { ...slots, overhead: slots.overhead + starts },
    traffic: { width: cols, hops, entering, leaving },
  };
}

function computeSlots(where: Float64Array): number {
  let sum = 0;
  for (let i = CAUSE.compute; i < where.length; i += CAUSE_COUNT) sum += where[i];
  return sum;
}

export type ChunkedGradient = Omit<WeightGradientStep, 'kernel' | 'rows' | 'sums' | 'outGap'>;

/** Each chunk of output features as the engines take it: one row, its cells counted. */
export function* chunkRows(step: ChunkedGradient, machine: Machine): Generator<SpmmShape> {
  const { weights, cols, tokens, buffers, gap, accumulate, features: perChunk } = step;
  const { ends: owners } = streamOrder(weights.output, cols);
  const drawn = countCells(weights, cols);
  const nnz = step.zeros === 'balanced' ? balancedCells(drawn, cols) : drawn;
  for (let from = 0; from < owners.length; from += perChunk) {
    const until = Math.min(from + perChunk, owners.length);
    const cells = nnz.subarray(from * cols, until * cols);
    const row = { rows: 1, cols, tokens, nnz: cells, owners: owners.subarray(from, until), buffers, gap, accumulate };
    yield gradientRow(row, machine);
  }
}

/** Of the fullest column. Throws (exit 3) where they have no room. */
export function sumsOf({ cols, sums: room, weights }: WeightGradientStep, cells: Uint16Array): number {
  const sums = new Uint32Array(cols);
  for (let cell = 0; cell < cells.length; cell++) sums[cell % cols] += cells[cell];
  const most = sums.reduce((a, b) => Math.max(a, b), 0);
  if (most > room)
    throw new EmulateError(
      EXIT.doesNotFit,
      `the gradient of ${weights.mask.name} does not fit: sums of a chunk are ${most} in the fullest column, the limit is ${room} (${most - room} too many); what would help: fewer tokens a PE, more columns a group`,
    );
  return Math.max(1, most);
}

/** Of one column of sums that leave. */
export function timeSums(shape: ColumnReduceShape, machine: Machine, perPe: boolean = false): StepTiming {
  if (shape.cols !== 1) throw internalError('one column of sums stands for all');
  const closed = columnReduceTime(shape, machine);
  const { where, ...timing } =
    closed === undefined
      ? timeProgram(columnReduce.program(shape, machine), latenciesOf(machine))
      : ({ engine: 'streamed', path: 'closed form', why: '', ...closed } as const);
  const { rows, wavelets } = shape;
  const traffic = { width: 1, hops: (rows - 1) * wavelets, entering: 0, leaving: wavelets };
  const found = { ...timing, pes: rows, ...countsOf(where), traffic };
  return perPe ? { ...found, perPe: linePeCounts(where, 1, rows) } : found;
}
