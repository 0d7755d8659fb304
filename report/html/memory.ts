// The memory of the fullest PE, item by item, against its SRAM.

import { count, percent } from '../numbers.ts';
import type { PageContent } from './content.ts';
import { element, escaped, table } from './markup.ts';

/** Items have colours of their own, largest first; beyond these they share the last. */
const COLOURS = 6;

export function memory({ memory: { operator, items, bytes, sramBytes } }: PageContent): string {
  const sorted = items.filter((item) => item.bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
  const parts = sorted.map((item, i) =>
    element('span', {
      class: `back-item${Math.min(i, COLOURS - 1)}`,
      style: `width: ${((100 * item.bytes) / sramBytes).toFixed(3)}%`,
      'data-tip': `${item.what}: ${count(item.bytes)} bytes, ${percent(item.bytes / sramBytes)} of the SRAM`,
    }),
  );
  const said = `${count(bytes)} of ${count(sramBytes)} bytes in use`;
  const rows = [
    ...sorted.map((item) => [item.what, count(item.bytes), percent(item.bytes / sramBytes)]),
    ['free', count(sramBytes - bytes), percent((sramBytes - bytes) / sramBytes)],
  ];
  return [
    element('p', {}, `The fullest PE, in ${escaped(operator)}: ${said}.`),
    element('div', { class: 'bar tall', role: 'img', 'aria-label': said }, ...parts),
    table(['what', 'bytes', 'of the SRAM'], rows),
  ].join('');
}
