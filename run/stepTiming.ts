// What timing one kernel gives, and how it is put together from the causes of its PEs.

import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, whereAt } from '../emulator/program/causes.ts';
import { columnOf, hopsFrom } from '../emulator/program/ring.ts';
import { axpyElementSlots, endsOf, psumWavelets, type SpmmShape } from '../emulator/streamed/shape.ts';
import type { EngineUse, Slots } from './result.ts';

export interface StepTiming extends EngineUse {
  /** Of the rectangle; where rows are folded, of one row. */
  readonly cycles: number;
  readonly pes: number;
  /** Cycles of all its PEs by cause, in the order of CAUSES; they add up to cycles * pes. */
  readonly totals: readonly number[];
  /** Of the PE that issues the most. */
  readonly slots: Slots;
  readonly traffic: Traffic;
  /** Only where it was asked for. */
  readonly perPe?: PeCounts;
}

/** Wavelets of the rectangle in one run; where rows are folded, of one row. */
export interface Traffic {
  /** Columns of PEs of the rectangle. */
  readonly width: number;
  /** From a router to a neighbouring router. */
  readonly hops: number;
  /** Of the streams that enter it, and of the sums that leave the wafer there. */
  readonly entering: number;
  readonly leaving: number;
}

/**
 * Causes of every PE of the rectangle, by physical column and row from the north west: CAUSE_COUNT counts each, and those of
 * the PE at (x, y) are those of column x and of row y added. Where rows are folded there is one row, of zeros.
 */
export interface PeCounts {
  readonly columns: Float64Array;
  readonly rows: Float64Array;
}

/** Of a rectangle that is one row or one column of PEs, as all that are timed are. */
export function linePeCounts(where: ArrayLike<number>, width: number, height: number): PeCounts {
  if (width > 1 && height > 1) throw internalError(`${width} x ${height} PEs are no line`);
  const zeros = new Float64Array(CAUSE_COUNT);
  const counts = Float64Array.from(where);
  return height === 1 ? { columns: counts, rows: zeros } : { columns: zeros, rows: counts };
}

/** Of the causes of each PE: their totals, and the slots of the PE that issues the most, of several the first. */
export function countsOf(where: ArrayLike<number>): Pick<StepTiming, 'totals' | 'slots'> {
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

/** Counts by ring position put in the order of columns. */
export function byColumn(where: Float64Array, cols: number): Float64Array {
  const columns = new Float64Array(cols * CAUSE_COUNT);
  for (let p = 0; p < cols; p++) {
    const counts = where.subarray(p * CAUSE_COUNT, (p + 1) * CAUSE_COUNT);
    columns.set(counts, columnOf(p, cols) * CAUSE_COUNT);
  }
  return columns;
}

/**
 * Of one row of a matmul that has so many slots of multiply-adds: a wavelet down its column for each weight and one behind
 * each feature; and the sums of each wave, which pass on from every position of the ring but the one where they end.
 */
export function rowTraffic(shape: SpmmShape, computeSlots: number): Traffic {
  const { features, cols } = shape;
  let ring = 0;
  for (let p = 0; p < cols; p++) ring += hopsFrom(p, cols);
  const ends = endsOf(shape);
  let links = 0;
  for (let n = 0; n < ends.length; n++) links += ring - hopsFrom(ends[n], cols);
  return {
    width: cols,
    hops: psumWavelets(shape) * links,
    entering: computeSlots / axpyElementSlots(shape) + features * cols,
    leaving: 0,
  };
}

/** Of a rectangle all rows of which share what enters the first, each router passing it on to the one south of it. */
export function foldedHops({ hops, entering }: Traffic, rows: number): number {
  return rows * hops + (rows - 1) * entering;
}

/** Throws (exit 3) where a kernel needs more colors than a router knows. */
export function checkColors(kernel: string, colors: number, { fabric }: Machine): void {
  if (colors <= fabric.colors) return;
  const message = `${kernel} does not fit: it needs ${colors} colors, the limit is ${fabric.colors} (${colors - fabric.colors} too many); what would help: a machine with more colors`;
  throw new EmulateError(EXIT.doesNotFit, message);
}
