// The table of operators: one line for those at the same place in all layers, with what bounds them, all PEs of all
// layers together, and what would help.

import type { ChalkInstance } from 'chalk';
import type { OperatorKind } from '../compiler/graph/graph.ts';
import { sumOfCauses, type Where } from '../emulator/program/causes.ts';
import { boundByTwins, boundOf } from '../run/bound.ts';
import type { OperatorResult, Twins } from '../run/result.ts';
import { sumOfTwins } from './effects.ts';
import { helpedOf, leverAtPrices, leverOf } from './levers.ts';
import { count, percent, shortName } from './numbers.ts';
import { type Column, plainTable } from './plainTable.ts';

export type TableOperator = Pick<OperatorResult, 'name' | 'kind' | 'cycles' | 'share' | 'utilisation' | 'where'> & {
  readonly twins?: Twins;
};

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
  readonly twins?: Twins;
}

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
      where: sumOfCauses(so.where, own.where),
      ...twinsOf(so, own),
    });
  }
  return [...lines.values()];
}

function twinsOf(a: Pick<Line, 'cycles' | 'twins'>, b: Pick<Line, 'cycles' | 'twins'>): Pick<Line, 'twins'> {
  if (a.twins === undefined || b.twins === undefined) return {};
  return { twins: sumOfTwins({ ...a, twins: a.twins }, { ...b, twins: b.twins }) };
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

/** So many lines are shown whole; of more, those below a share are put together. */
const MOST_LINES = 24;
const SMALL_SHARE = 0.002;

export function operatorTable(operators: readonly TableOperator[], passes: number, colours: ChalkInstance): string[] {
  const lines = linesOf(operators);
  const small = lines.length > MOST_LINES ? lines.filter(({ share }) => share < SMALL_SHARE) : [];
  const rows = lines
    .filter((line) => !small.includes(line))
    .map((line) => [
      shortName(line.name),
      line.layers > 1 ? `x${line.layers}` : '',
      count(line.cycles * passes),
      line.share >= LARGE_SHARE ? colours.bold(percent(line.share)) : percent(line.share),
      percent(line.utilisation),
      ...boundCells(line),
    ]);
  if (small.length > 0) {
    const sum = (of: (line: Line) => number): number => small.reduce((all, line) => all + of(line), 0);
    const cycles = sum((line) => line.cycles);
    const utilisation = sum((line) => line.utilisation * line.cycles) / cycles;
    const share = percent(sum((line) => line.share));
    rows.push([`${small.length} others`, '', count(cycles * passes), share, percent(utilisation), '', '']);
  }
  return plainTable(COLUMNS, rows, colours);
}

/** What bounds it and what would help; where there are twins, with what it costs of the cycles of the line. */
function boundCells({ name, kind, cycles, where, twins }: Line): [string, string] {
  const helped = helpedOf({ name, kind });
  if (twins === undefined) {
    const bound = boundOf(where);
    return [bound, leverOf(bound, helped)];
  }
  const { bound, costs } = boundByTwins(cycles, twins);
  return [`${bound} ${((100 * costs) / cycles).toFixed(0)} %`, leverAtPrices(bound, helped, cycles, twins)];
}
