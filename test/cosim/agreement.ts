// What the fast engine may answer for a row, by name, and how an answer is compared with the stepped engine's.

import { CAUSES } from '../../emulator/program/causes.ts';
import { foldedCycles, foldedWhere } from '../../emulator/streamed/fold.ts';
import { lookaheadRow, lookaheadRowPlain } from '../../emulator/streamed/lookahead/row.ts';
import { closedRow, closedRowPlain, tokenRow, whyNotClosed } from '../../emulator/streamed/row.ts';
import type { RowTiming, SpmmShape } from '../../emulator/streamed/shape.ts';
import { type SpmmTiming, spmmWhere, timeSpmm } from '../../kernels/spmm/time.ts';

/** A way to the counts of one row: where it may be taken, and what it gives; undefined if its certificate fails. */
export interface RowPath {
  readonly name: string;
  readonly holds: (shape: SpmmShape) => boolean;
  readonly run: (shape: SpmmShape) => RowTiming | undefined;
}

const closedFormsHold = (shape: SpmmShape): boolean => whyNotClosed(shape) === undefined;

export const rowPaths: readonly RowPath[] = [
  { name: 'closed form', holds: closedFormsHold, run: closedRow },
  { name: 'closed form, TypeScript', holds: closedFormsHold, run: closedRowPlain },
  { name: 'token level', holds: closedFormsHold, run: tokenRow },
  { name: 'lookahead', holds: () => true, run: lookaheadRow },
  { name: 'lookahead, TypeScript', holds: () => true, run: lookaheadRowPlain },
];

export interface Counts {
  readonly cycles: number;
  /** Causes at ring position p of row y. */
  readonly where: (p: number, y: number) => Readonly<Record<string, number>>;
}

export function countsOf(timing: SpmmTiming): Counts {
  return { cycles: timing.cycles, where: (p, y) => ({ ...spmmWhere(timing, p, y) }) };
}

export function foldedCounts(row: RowTiming, rows: number): Counts {
  return { cycles: foldedCycles(row.cycles, rows), where: (p, y) => ({ ...foldedWhere(row.where, p, y, rows) }) };
}

/** The judge. */
export function stepped(shape: SpmmShape): Counts {
  return countsOf(timeSpmm(shape, 'stepped'));
}

/** The first number in which two counts of a shape differ; undefined if none does. */
export function firstDifference(judge: Counts, other: Counts, { rows, cols }: SpmmShape): string | undefined {
  if (judge.cycles !== other.cycles) return `cycles ${other.cycles}, stepped ${judge.cycles}`;
  for (let p = 0; p < cols; p++)
    for (let y = 0; y < rows; y++) {
      const expected = judge.where(p, y);
      const found = other.where(p, y);
      for (const cause of CAUSES)
        if (expected[cause] !== found[cause])
          return `position ${p}, row ${y}: ${cause} ${found[cause]}, stepped ${expected[cause]}`;
    }
  return undefined;
}
