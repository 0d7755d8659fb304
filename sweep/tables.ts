// The results of a sweep for programs: one line a point in the order of the grid, as CSV (RFC 4180, but for its line ends)
// and as JSON, with the same fields. Nothing in them depends on the host.

import { EXIT } from '../emulator/errors.ts';
import { csvLine } from '../report/csv.ts';
import type { Measured } from './measured.ts';
import type { Row } from './sweep.ts';

/** In the order of the columns, which follow those of the varied fields. */
const FIELDS: readonly (keyof Measured)[] = [
  'cycles',
  'seconds',
  'tokensPerSecond',
  'overDenseWafer',
  'ideal',
  'overGpu',
  'utilisation',
  'boundBy',
  'columns',
  'tokensPerPe',
  'accumulators',
  'result',
];

export function csvOf(rows: readonly Row[]): string {
  const head = [...rows[0].varied.map(({ path }) => path), ...entriesOf(rows[0]).map(([name]) => name)];
  const lines = rows.map((row) => [
    ...row.varied.map(({ value }) => value),
    ...entriesOf(row).map(([, value]) => value),
  ]);
  return [head, ...lines].map(csvLine).join('');
}

export function jsonLinesOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const vary = Object.fromEntries(row.varied.map(({ path, value }) => [path, value]));
    return `${JSON.stringify({ vary, ...Object.fromEntries(entriesOf(row)) })}\n`;
  });
  return lines.join('');
}

/** Names and values behind the varied fields. A point that failed has null where it has no number. */
function entriesOf({ key, outcome }: Row): [string, unknown][] {
  const { code, message } = 'failure' in outcome ? outcome.failure : { code: EXIT.ok, message: null };
  return [
    ...FIELDS.map((field): [string, unknown] => [field, 'measured' in outcome ? outcome.measured[field] : null]),
    ['point', key],
    ['exit', code],
    ['error', message],
  ];
}
