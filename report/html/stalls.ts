// Where the cycles of the PEs in use went, a bar for each place: of its own cycles, or of those of the pass.

import { CAUSES, sumOfCauses, type Where } from '../../emulator/program/causes.ts';
import { percent } from '../numbers.ts';
import { CAUSE_NAMES } from './causeNames.ts';
import { element, escaped } from './markup.ts';
import type { Place } from './places.ts';

export function stalls(places: readonly Place[]): string {
  const all = places.map(({ where }) => where).reduce(sumOfCauses);
  const longest = places.reduce((most, { share }) => Math.max(most, share), 0);
  const rows = [
    bar('all operators', all, 1, 1),
    ...places.map(({ name, where, share }) => bar(name, where, share, share / longest)),
  ];
  const head = ['operator', 'where the cycles of its PEs went', 'of the pass'].map((text) =>
    element('th', { scope: 'col' }, text),
  );
  const header = element('thead', { class: 'hidden' }, element('tr', {}, ...head));
  return element('table', { id: 'stalls', class: 'bars' }, header, element('tbody', {}, ...rows));
}

function bar(name: string, where: Where, share: number, length: number): string {
  const cycles = CAUSES.reduce((total, cause) => total + where[cause], 0);
  const parts = CAUSES.filter((cause) => where[cause] > 0).map((cause) => {
    const part = where[cause] / cycles;
    const tip = `${name}: ${CAUSE_NAMES[cause]} ${percent(part)}`;
    return element('span', { class: `back-${cause}`, style: `width: ${(100 * part).toFixed(3)}%`, 'data-tip': tip });
  });
  const largest = CAUSES.toSorted((a, b) => where[b] - where[a]).slice(0, 3);
  const said = largest.map((cause) => `${CAUSE_NAMES[cause]} ${percent(where[cause] / cycles)}`).join(', ');
  return element(
    'tr',
    { style: `--length: ${(100 * length).toFixed(3)}%` },
    element('th', { scope: 'row' }, escaped(name)),
    element('td', {}, element('div', { class: 'bar', role: 'img', 'aria-label': said }, ...parts)),
    element('td', { class: 'number' }, percent(share)),
  );
}
