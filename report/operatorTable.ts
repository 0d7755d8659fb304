// The table of operators: one line for those at the same place in all layers, with what bounds them, all PEs of all
// layers together, and what would help.

import type { ChalkInstance } from 'chalk';
import type { OperatorKind } from '../compiler/graph/graph.ts';
import { CAUSES, type Where } from '../emulator/program/causes.ts';
import { boundOf } from '../run/bound.ts';
import type { OperatorResult } from '../run/result.ts';
import { leverOf } from './levers.ts';
import { count, percent } from './numbers.ts';
import { type Column, plainTable } from './plainTable.ts';

export type TableOperator = Pick<OperatorResult, 'name' | 'kind' | 'cycles' | 'share' | 'utilisation' | 'where'>;

interface Line {
  readonly name: string;
  readonly kind: OperatorKind;
  /** Operators of this line. */
  readonly layers: number;
  /** Of one pass. */
  readonly cycles: number;
  readonly share: number;
  readonly utilisation: number;
  readonly where: Where;
}

const LONGEST_NAME = 22;
/** Lines from this share of the cycles on stand out. */
const LARGE_SHARE = 0.1;

/** The name of an operator, the same in all layers. */
export function placeOf(name: string): string {
  return name.replace(/^h\.\d+\./, 'h.*.');
}

/** Operators of the same place in all layers as one, in the order of the first layer. */
export function linesOf(operators: readonly TableOperator[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { name, kind, ...own } of operators) {
    const place = placeOf(name);
    const so = lines.get(place);
    if (so === undefined) {
      lines.set(place, { name: place, kind, layers: 1, ...own });
      continue;
    }
    const cycles = so.cycles + own.cycles;
    lines.set(place, {
      ...so,
      layers: so.layers + 1,
      cycles,
      share: so.share + own.share,
      utilisation: (so.utilisation * so.cycles + own.utilisation * own.cycles) / cycles,
      where: sumOf(so.where, own.where),
    });
  }
  return [...lines.values()];
}

function sumOf(a: Where, b: Where): Where {
  const sum = { ...a };
  for (const cause of CAUSES) sum[cause] += b[cause];
  return sum;
}

const COLUMNS: readonly Column[] = [
  { head: 'operator', align: 'left' },
  { head: '', align: 'right' },
  { head: 'cycles', align: 'right' },
  { head: 'share', align: 'right' },
  { head: 'util.', align: 'right' },
  { head: 'bound by', align: 'left' },
  { head: 'what would help', align: 'left' },
];

export function operatorTable(operators: readonly TableOperator[], passes: number, colours: ChalkInstance): string[] {
  const rows = linesOf(operators).map(({ name, kind, layers, cycles, share, utilisation, where }) => {
    const bound = boundOf(where);
    return [
      shortName(name),
      layers > 1 ? `x${layers}` : '',
      count(cycles * passes),
      share >= LARGE_SHARE ? colours.bold(percent(share)) : percent(share),
      percent(utilisation),
      bound,
      leverOf(bound, kind),
    ];
  });
  return plainTable(COLUMNS, rows, colours);
}

export function shortName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 3)}...` : name;
}
