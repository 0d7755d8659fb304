// The operators of a pass over time, a lane for each place, in the colour of what bounds them. The client zooms and pans by the
// viewBox, which is SPAN units wide whatever the cycles are.

import { CAUSE_NAMES, COLOUR_OF_BOUND } from './causeNames.ts';
import type { PageContent } from './content.ts';
import { element, escaped } from './markup.ts';
import { count, percent } from '../numbers.ts';
import { boundText, type Place } from './places.ts';

const SPAN = 100_000;
const GAP = 0.12;

export function timeline({ operators }: PageContent, places: readonly Place[]): string {
  const all = operators.reduce((sum, { cycles }) => sum + cycles, 0);
  const lanes = new Map(places.flatMap((place, lane) => place.operators.map((i) => [i, lane] as const)));
  let from = 0;
  const blocks = operators.map((operator, i) => {
    const { name, cycles, share, boundBy } = operator;
    const tip = `${name}: cycles ${count(from)} to ${count(from + cycles)} (${count(cycles)}, ${percent(share)}), bound by ${boundText(operator)}`;
    const rect = element('rect', {
      x: (SPAN * from) / all,
      y: (lanes.get(i) ?? 0) + GAP,
      width: (SPAN * cycles) / all,
      height: 1 - 2 * GAP,
      class: `fill-${COLOUR_OF_BOUND[boundBy]}`,
      'data-tip': tip,
    });
    from += cycles;
    return rect;
  });
  const names = places.map(({ name, operators: own }) =>
    element('li', {}, escaped(name), own.length > 1 ? ` <small>x${own.length}</small>` : ''),
  );
  const view = {
    id: 'timeline',
    class: 'timeline',
    viewBox: `0 0 ${SPAN} ${places.length}`,
    preserveAspectRatio: 'none',
    tabindex: 0,
    role: 'img',
    'aria-label': `${operators.length} operators over ${count(all)} cycles; arrow keys pan, plus and minus zoom, 0 shows all`,
    'data-cycles': all,
    style: `height: ${places.length * 1.3}rem`,
  };
  return [
    element('ul', { class: 'lanes' }, ...names),
    element(
      'div',
      {},
      element('svg', view, ...blocks),
      '<div id="timeline-axis" class="axis" aria-hidden="true"></div>',
    ),
  ].join('');
}

export function boundLegend(operators: PageContent['operators']): string {
  const bounds = [...new Set(operators.map(({ boundBy }) => boundBy))];
  const items = bounds.map((bound) => {
    const swatch = element('span', { class: `swatch back-${COLOUR_OF_BOUND[bound]}` });
    return element('li', {}, swatch, escaped(bound));
  });
  return element('ul', { class: 'legend' }, ...items);
}

export function causeLegend(): string {
  const items = Object.entries(CAUSE_NAMES).map(([cause, name]) =>
    element('li', {}, element('span', { class: `swatch back-${cause}` }), escaped(name)),
  );
  return element('ul', { class: 'legend' }, ...items);
}
