// The results of a sweep on a terminal, at most 100 columns: one line a point. What does not fit stands in results.csv.

import type { ChalkInstance } from 'chalk';
import { printable } from '../compiler/model/frame.ts';
import { count, percent, scaled, times } from '../report/numbers.ts';
import { plainTable } from '../report/plainTable.ts';
import type { Measured } from './measured.ts';
import type { Failure } from './points.ts';
import type { Row } from './sweep.ts';

const WIDTH = 100;
const MOST_ROWS = 100;
const MOST_FAILURES = 12;
const BETWEEN_COLUMNS = 2;
/** Of a column of a varied field, cut: "12.." */
const NARROWEST = 4;

interface Column {
  readonly head: string;
  readonly cells: readonly string[];
  readonly align: 'left' | 'right';
}

/** The first metrics, which stay where fields are cut. */
const NEEDED = 5;

/** Least needed last. */
const METRICS: readonly (readonly [head: string, of: (measured: Measured) => string])[] = [
  ['cycles', ({ cycles }) => count(cycles)],
  ['over dense', ({ overDenseWafer }) => times(overDenseWafer)],
  ['over GPU', ({ overGpu }) => times(overGpu)],
  ['tokens/s', ({ tokensPerSecond }) => scaled(tokensPerSecond)],
  ['bound by', ({ boundBy }) => boundBy],
  ['ideal', ({ ideal }) => times(ideal)],
  ['util.', ({ utilisation }) => percent(utilisation)],
];

export function sweepTable(rows: readonly Row[], colours: ChalkInstance): string {
  const shown = rows.slice(0, MOST_ROWS);
  const columns = fitted(fieldColumns(shown), metricColumns(shown));
  const lines = shown.map((row, i) => {
    const cells = columns.map(({ cells }) => cells[i]);
    return 'failure' in row.outcome ? cells.map((cell) => colours.red(cell)) : cells;
  });
  const table = plainTable(columns, lines, colours);
  if (shown.length < rows.length) table.push(`and ${count(rows.length - shown.length)} more in results.csv`);
  return table.map((line) => `${line}\n`).join('');
}

function fieldColumns(rows: readonly Row[]): Column[] {
  const paths = rows[0].varied.map(({ path }) => path.split('.'));
  return paths.map((path, i) => {
    const cells = rows.map(({ varied }) => textOf(varied[i].value));
    const isNumbers = rows.every(({ varied }) => typeof varied[i].value === 'number');
    return { head: shortName(path, paths), cells, align: isNumbers ? 'right' : 'left' };
  });
}

/** As many of the last names of a path as tell it from the others. */
function shortName(path: readonly string[], paths: readonly (readonly string[])[]): string {
  const ends = (names: number): string[] => paths.map((other) => other.slice(-names).join('.'));
  const own = (names: number): string => path.slice(-names).join('.');
  let names = 1;
  while (names < path.length && ends(names).filter((end) => end === own(names)).length > 1) names++;
  return own(names);
}

function textOf(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A point that failed has its exit code where the cycles would stand. */
function metricColumns(rows: readonly Row[]): Column[] {
  return METRICS.map(([head, of], i) => ({
    head,
    align: head === 'bound by' ? 'left' : 'right',
    cells: rows.map(({ outcome }) => {
      if ('measured' in outcome) return of(outcome.measured);
      return i === 0 ? `exit ${outcome.failure.code}` : '';
    }),
  }));
}

/** What is not needed leaves for the fields; then fields are cut, then metrics leave for them, then fields leave. */
function fitted(fields: readonly Column[], metrics: readonly Column[]): Column[] {
  const narrowest = (columns: readonly Column[]): number =>
    columns.reduce((sum, column) => sum + Math.min(widthOf(column), NARROWEST) + BETWEEN_COLUMNS, 0);
  const room = WIDTH + BETWEEN_COLUMNS;
  let kept = metrics.length;
  while (kept > NEEDED && totalOf(fields) + totalOf(metrics.slice(0, kept)) > room) kept--;
  while (kept > 1 && narrowest(fields) + totalOf(metrics.slice(0, kept)) > room) kept--;
  const left = room - totalOf(metrics.slice(0, kept));
  let shown = fields.length;
  while (shown > 0 && narrowest(fields.slice(0, shown)) > left) shown--;
  return [...cutTo(left, fields.slice(0, shown)), ...metrics.slice(0, kept)];
}

function cutTo(room: number, columns: readonly Column[]): Column[] {
  let widest = Math.max(0, ...columns.map(widthOf));
  let made = [...columns];
  while (totalOf(made) > room) {
    widest--;
    made = columns.map((column) => cut(column, widest));
  }
  return made;
}

function cut({ head, cells, align }: Column, width: number): Column {
  const short = (text: string): string => (text.length > width ? `${text.slice(0, width - 2)}..` : text);
  return { head: short(head), cells: cells.map(short), align };
}

function widthOf({ head, cells }: Column): number {
  return Math.max(head.length, ...cells.map(({ length }) => length));
}

function totalOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + widthOf(column) + BETWEEN_COLUMNS, 0);
}

/** The points that failed and why, the first of them first; `undefined` if all are good. */
export function failuresOf(rows: readonly Row[]): Failure | undefined {
  const failed = rows.flatMap(({ varied, outcome }) => ('failure' in outcome ? [{ varied, ...outcome.failure }] : []));
  if (failed.length === 0) return undefined;
  const lines = failed.slice(0, MOST_FAILURES).map(({ varied, code, message }) => {
    const point = varied.map(({ path, text }) => `${path}=${printable(text)}`).join(' ');
    return `${point}: exit ${code}: ${message.split('\n')[0]}`;
  });
  const more = failed.length > MOST_FAILURES ? [`and ${failed.length - MOST_FAILURES} more`] : [];
  const head = `${count(failed.length)} of ${count(rows.length)} points failed (in full in results.csv)`;
  return { code: failed[0].code, message: [head, ...lines, ...more].join('\n') };
}
