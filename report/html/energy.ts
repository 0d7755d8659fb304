// The energy of a run, part by part: an estimate, with the source of each number.

import { inUnits } from '../energy.ts';
import { percent, scaled } from '../numbers.ts';
import type { PageContent } from './content.ts';
import { element, escaped, table } from './markup.ts';

export function energy({ energy: { joules, watts, parts } }: PageContent): string {
  const said = `An estimate: ${inUnits(joules, 'J')} in all, ${inUnits(watts, 'W')} of the wafer while it runs. Counts are exact; what one of them takes is a number of the machine file.`;
  const rows = parts.map(({ what, count, joulesEach, joules: of, source }) => [
    what,
    scaled(count),
    `${Number((joulesEach * 1e12).toPrecision(4))} pJ`,
    inUnits(of, 'J'),
    joules === 0 ? '' : percent(of / joules),
    source === '' ? 'not said' : source,
  ]);
  return element('p', {}, escaped(said)) + table(['what', 'count', 'each', 'in all', 'share', 'source'], rows, [5]);
}
