// Rows fold. Rows that are fed by the same streams from the top do the same, row r doing r cycles later what row 0 does:
// cycles(R rows) = cycles(1 row) + R - 1, and row r has waited r cycles longer for its first wavelet.

import { CAUSE, CAUSE_COUNT, type Where, whereAt } from '../program/causes.ts';

/** Cycles of `rows` rows from those of one. */
export function foldedCycles(oneRow: number, rows: number): number {
  return oneRow + rows - 1;
}

/** Causes of a PE in row `row` of `rows`, from those of its column in a run of one row. */
export function foldedWhere(oneRow: ArrayLike<number>, column: number, row: number, rows: number): Where {
  const where = whereAt(oneRow, column * CAUSE_COUNT);
  where.waitWeights += row;
  where.done += rows - 1 - row;
  return where;
}

/** Sums over all rows of the causes of every column of a run of one row. */
export function foldedTotals(oneRow: ArrayLike<number>, rows: number): Float64Array {
  const totals = new Float64Array(CAUSE_COUNT);
  const columns = oneRow.length / CAUSE_COUNT;
  for (let i = 0; i < oneRow.length; i++) totals[i % CAUSE_COUNT] += oneRow[i] * rows;
  const shifts = (columns * rows * (rows - 1)) / 2;
  totals[CAUSE.waitWeights] += shifts;
  totals[CAUSE.done] += shifts;
  return totals;
}

/** Adds to CAUSE_COUNT counts a row what the rows of `times` runs have more than the first row of a run of one. */
export function addShifts(bank: Float64Array, times: number): void {
  const rows = bank.length / CAUSE_COUNT;
  for (let y = 0; y < rows; y++) {
    bank[y * CAUSE_COUNT + CAUSE.waitWeights] += times * y;
    bank[y * CAUSE_COUNT + CAUSE.done] += times * (rows - 1 - y);
  }
}
