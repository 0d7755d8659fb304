// What moved, as tables: first what was run and how, then operator by operator the cycles and the causes, the largest move
// first, each with the number before, the number now, and by how much.

import type { ChalkInstance } from 'chalk';
import type { Differences, Fact, MovedOperator } from './moves.ts';
import { count, shortName } from './numbers.ts';
import { type Column, plainTable } from './plainTable.ts';

export interface TableOptions {
  /** What the two columns of numbers are called. */
  readonly heads: readonly [string, string];
  readonly colours: ChalkInstance;
  /** Lines of operators at most; what is left out is said. */
  readonly most: number;
  /** Said below what was left out. */
  readonly rest: string;
}

export function movedTable({ facts, moves }: Differences, { heads, colours, most, rest }: TableOptions): string[] {
  const lines: string[] = [];
  const [was, now] = heads.map((head): Column => ({ head, align: 'right' }));
  const by: Column = { head: 'by', align: 'right' };
  if (facts.length > 0) {
    const rows = facts.map((fact) => [fact.path, shown(fact.was), shown(fact.now), factBy(fact)]);
    lines.push(...plainTable([{ head: 'what', align: 'left' }, was, now, by], rows, colours));
  }
  if (moves.length > 0) {
    const rows = moves.flatMap(rowsOf);
    const columns: Column[] = [
      { head: 'operator', align: 'left' },
      { head: '', align: 'right' },
      { head: 'number', align: 'left' },
      was,
      now,
      by,
      { head: '', align: 'right' },
    ];
    if (facts.length > 0) lines.push('');
    lines.push(...plainTable(columns, rows.slice(0, most), colours));
    if (rows.length > most) lines.push(`and ${rows.length - most} more numbers; ${rest}`);
  }
  return lines;
}

function rowsOf({ operator, layers, numbers }: MovedOperator): string[][] {
  return numbers.map(({ number, was, now }, i) => [
    i === 0 ? shortName(operator) : '',
    i === 0 ? layers : '',
    number,
    shown(was),
    shown(now),
    ...by(was, now),
  ]);
}

function by(was: number | undefined, now: number | undefined): [string, string] {
  if (was === undefined) return ['new', ''];
  if (now === undefined) return ['gone', ''];
  const move = now - was;
  const sign = move > 0 ? '+' : '';
  return [`${sign}${shown(move)}`, was === 0 ? '' : `${sign}${precise((100 * move) / was)} %`];
}

/** Small moves of large numbers are the ones looked for: never +0.0 %. */
function precise(percentage: number): string {
  return Math.abs(percentage) >= 0.1 ? percentage.toFixed(1) : percentage.toPrecision(1);
}

function factBy({ was, now }: Fact): string {
  if (was === undefined) return 'new';
  if (now === undefined) return 'gone';
  return typeof was === 'number' && typeof now === 'number' ? by(was, now).join(' ').trim() : '';
}

const LONGEST_VALUE = 24;

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(6)));
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 3)}...` : text;
}
