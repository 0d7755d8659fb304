// Tables of reports: columns two blanks apart, no lines.

import type { ChalkInstance } from 'chalk';
import Table from 'cli-table3';

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

export function plainTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  colours: ChalkInstance,
): string[] {
  const table = new Table({
    head: columns.map(({ head }) => head),
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [], compact: true },
    colAligns: columns.map(({ align }) => align),
  });
  for (const row of rows) table.push([...row]);
  const [head, ...lines] = table.toString().split('\n');
  return [colours.dim(head), ...lines].map((line) => line.trimEnd());
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
