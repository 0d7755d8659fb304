// Where heads and sequences lie. Letters: C columns, H heads, R rows of a sequence, T tokens a PE.
//
// With C >= H a head takes floor(C / H) neighbouring columns, its features in order, ceil(headDim / columns) on each
// (fewer, or none, on the last); columns beyond the last head hold nothing. With C < H a column holds ceil(H / C) whole
// heads. A sequence lies on R consecutive rows: token a of row r is position r + a * R, so that every row has the same
// share of causal work. The rows of a sequence are a ring.

import { columnOf } from '../../emulator/program/ring.ts';

export interface HeadLayout {
  readonly heads: number;
  readonly headDim: number;
  /** Columns of a head, and whole heads on a column; one of the two is 1. */
  readonly headCols: number;
  readonly headsPerColumn: number;
  /** Features of a head on one of its columns. */
  readonly features: number;
  /** Groups of `headCols` columns that hold heads. */
  readonly groups: number;
}

/** With `pairs`, features 2j and 2j + 1 of a head, which rotary positions turn together, share a column. */
export function headLayout(heads: number, headDim: number, cols: number, pairs = false): HeadLayout {
  const headCols = Math.max(1, Math.floor(cols / heads));
  const headsPerColumn = Math.ceil(heads / cols);
  const features = pairs ? 2 * Math.ceil(headDim / 2 / headCols) : Math.ceil(headDim / headCols);
  return { heads, headDim, headCols, headsPerColumn, features, groups: Math.ceil(heads / headsPerColumn) };
}

/** Column of feature `feature` of head `head`, and its index among the features of that column. */
export function placeOfHead(layout: HeadLayout, head: number, feature: number): { x: number; local: number } {
  const { headCols, headsPerColumn, features } = layout;
  return {
    x: Math.floor(head / headsPerColumn) * headCols + Math.floor(feature / features),
    local: (head % headsPerColumn) * features + (feature % features),
  };
}

/** Ring position of the row (or column) `at` of a ring: the inverse of columnOf. */
export function positionOf(at: number, size: number): number {
  return at % 2 === 0 ? at / 2 : size - 1 - (at - 1) / 2;
}

/** Row whose keys and values row `row` holds at a rotation, both counted within their sequence. */
export function keyRow(row: number, rotation: number, rowsPerSequence: number): number {
  const position = (positionOf(row, rowsPerSequence) - rotation + rowsPerSequence) % rowsPerSequence;
  return columnOf(position, rowsPerSequence);
}
