// Timing of the sparse matrix multiply: the fastest engine whose preconditions hold, and which one it was and why. All of
// them give the same cycles and the same causes for every PE.

import { MOST_CYCLES, tooLong } from '../../emulator/errors.ts';
import { mostCycles } from '../../emulator/streamed/most.ts';
import type { RowTiming, SpmmShape } from '../../emulator/streamed/shape.ts';
import { CAUSE_COUNT, type Where, whereAt } from '../../emulator/program/causes.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { runStepped, type SteppedRun } from '../../emulator/stepped/engine.ts';
import { foldedCycles, foldedWhere } from '../../emulator/streamed/fold.ts';
import { lookaheadRow } from '../../emulator/streamed/lookahead/row.ts';
import { closedRow, tokenRow, whyNotClosed } from '../../emulator/streamed/row.ts';
import { spmmProgram } from './program.ts';

export type Engine = 'stepped' | 'streamed';

/** Ways to the same counts, fastest first. */
export type Path = 'closed form' | 'token level' | 'lookahead' | 'stepped mesh';

export interface SpmmTiming {
  readonly engine: Engine;
  readonly path: Path;
  /** Why not a faster path; empty for the fastest. */
  readonly why: string;
  readonly cycles: number;
  readonly rows: number;
  /** CAUSE_COUNT counts a ring position, of row 0 of a run of one row; or, for the stepped mesh, of each (position, row). */
  readonly where: Float64Array;
}

/** Throws (exit 2) where the run could be longer than cycles are counted. */
export function timeSpmm(shape: SpmmShape, engine: Engine | 'auto'): SpmmTiming {
  checkLength(shape);
  if (engine === 'stepped') return steppedTiming(shape, runStepped(spmmProgram(shape), shape.latencies));
  const [path, why, row] = timeRow(shape);
  return {
    engine: 'streamed',
    path,
    why,
    cycles: foldedCycles(row.cycles, shape.rows),
    rows: shape.rows,
    where: row.where,
  };
}

function timeRow(shape: SpmmShape): [Path, string, RowTiming] {
  const notClosed = whyNotClosed(shape);
  if (notClosed !== undefined) return ['lookahead', notClosed, lookaheadRow(shape)];
  const closed = closedRow(shape);
  if (closed !== undefined) return ['closed form', '', closed];
  return ['token level', 'the weight stream may be late', tokenRow(shape)];
}

/** Throws (exit 2) where the run could be longer than cycles are counted. */
export function checkLength(shape: SpmmShape): void {
  const most = mostCycles(shape);
  if (most > MOST_CYCLES) throw tooLong('spmm', most);
}

/** A run of the stepped engine, its counts put in the order ring position (outer), row (inner). */
export function steppedTiming({ rows, cols }: SpmmShape, run: SteppedRun): SpmmTiming {
  const where = new Float64Array(run.where.length);
  for (let p = 0; p < cols; p++)
    for (let y = 0; y < rows; y++) {
      const pe = y * cols + columnOf(p, cols);
      where.set(run.where.subarray(pe * CAUSE_COUNT, (pe + 1) * CAUSE_COUNT), (p * rows + y) * CAUSE_COUNT);
    }
  return { engine: 'stepped', path: 'stepped mesh', why: 'asked for', cycles: run.cycles, rows, where };
}

/** Causes of the PE at ring position p of row y. */
export function spmmWhere({ path, where, rows }: SpmmTiming, p: number, y: number): Where {
  return path === 'stepped mesh' ? whereAt(where, (p * rows + y) * CAUSE_COUNT) : foldedWhere(where, p, y, rows);
}
