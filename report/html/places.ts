// Operators at the same place in all layers, as one: what the pictures have a line, a bar or a point for.

import { sumOfCauses, type Where } from '../../emulator/program/causes.ts';
import { boundByTwins } from '../../run/bound.ts';
import type { Bound } from '../../run/result.ts';
import { percent } from '../numbers.ts';
import { placeOf } from '../operatorTable.ts';
import type { ReportedOperator } from '../report.ts';
import type { PageContent } from './content.ts';

export interface Place {
  readonly name: string;
  /** Indices of its operators. */
  readonly operators: readonly number[];
  readonly cycles: number;
  readonly share: number;
  readonly where: Where;
  readonly edgeWords: number;
  readonly bound: Bound;
}

/** In the order in which they first run. */
export function placesOf({ operators, map }: Pick<PageContent, 'operators' | 'map'>): Place[] {
  const byName = new Map<string, number[]>();
  operators.forEach(({ name }, i) => {
    const place = placeOf(name);
    byName.set(place, [...(byName.get(place) ?? []), i]);
  });
  return Array.from(byName, ([name, indices]) => {
    const own = indices.map((i) => operators[i]);
    const sum = (of: (operator: ReportedOperator) => number): number => own.reduce((all, each) => all + of(each), 0);
    const cycles = sum((each) => each.cycles);
    return {
      name,
      operators: indices,
      cycles,
      share: sum((each) => each.share),
      where: own.map(({ where }) => where).reduce(sumOfCauses),
      edgeWords: indices.reduce((all, i) => all + map[i].edgeWords, 0),
      bound: dearestOf(own),
    };
  });
}

/** That of most of the cycles. */
function dearestOf(operators: readonly ReportedOperator[]): Bound {
  const cycles = new Map<Bound, number>();
  for (const { boundBy, cycles: own } of operators) cycles.set(boundBy, (cycles.get(boundBy) ?? 0) + own);
  const [[bound]] = [...cycles].sort(([, a], [, b]) => b - a);
  return bound;
}

/** With its price where that is known. */
export function boundText({ boundBy, cycles, twins }: ReportedOperator): string {
  return twins === undefined ? boundBy : `${boundBy} ${percent(boundByTwins(cycles, twins).costs / cycles)}`;
}
