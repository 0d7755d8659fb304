// The map of the wafer: controls, canvas and the place where the counts of a PE are said. What it shows is drawn by the client.

import { CAUSES } from '../../emulator/program/causes.ts';
import { CAUSE_NAMES } from './causeNames.ts';
import type { PageContent } from './content.ts';
import { mapData } from './mapData.ts';
import { element, escaped } from './markup.ts';
import type { Place } from './places.ts';

/** Stops of the colours from the least to the most, named in style.css. */
const STOPS = [0, 1, 2, 3, 4];

export function waferSection(content: PageContent, places: readonly Place[]): string {
  const { fabric } = content.machine;
  const choices = [
    option('all', 'all operators'),
    ...places.map(({ name, operators }, i) =>
      option(String(i), operators.length > 1 ? `${name} x${operators.length}` : name),
    ),
  ];
  const causes = [
    option('slots', 'all slots: compute, overhead, reduction'),
    ...CAUSES.map((cause, i) => option(String(i), CAUSE_NAMES[cause])),
  ];
  const controls = [
    labelled('operator', element('select', { id: 'map-place' }, ...choices)),
    labelled('layer', element('select', { id: 'map-layer' })),
    labelled('cycles of', element('select', { id: 'map-cause' }, ...causes)),
    element('label', {}, '<input type="checkbox" id="map-full"> 0 to 100 %'),
    element(
      'span',
      {},
      button('map-in', '+', 'zoom in'),
      button('map-out', '-', 'zoom out'),
      button('map-fit', 'whole wafer', 'show the whole wafer'),
    ),
  ];
  const canvas = element('canvas', {
    id: 'map',
    tabindex: 0,
    role: 'application',
    'aria-label': `wafer of ${fabric.width} x ${fabric.height} PEs; arrow keys go from PE to PE, with shift ten at a time, plus and minus zoom, 0 shows all`,
    'aria-describedby': 'map-readout',
  });
  const stops = STOPS.map((i) => element('b', { style: `color: var(--ramp${i})`, hidden: '' }));
  const ramp = [
    element('span', { id: 'map-low' }),
    element('i', { id: 'map-ramp', 'aria-hidden': 'true' }, ...stops),
    element('span', { id: 'map-high' }),
  ];
  const readout = element('div', { id: 'map-readout', 'aria-live': 'polite' });
  return [
    element('div', { class: 'controls' }, ...controls),
    element('div', { class: 'map' }, element('div', {}, canvas, element('div', { class: 'ramp' }, ...ramp)), readout),
    element('script', { type: 'application/json', id: 'wafer' }, waferJson(content, places)),
  ].join('');
}

function waferJson({ machine, mapping, operators, map }: PageContent, places: readonly Place[]): string {
  const { width, height } = machine.fabric;
  const { columns, groups, rows, rowsPerSequence } = mapping;
  const attends = operators.some(({ kind }) => kind === 'scores');
  const wafer = {
    width,
    height,
    columns,
    groups,
    rows,
    rowsPerSequence: attends ? rowsPerSequence : 0,
    causes: CAUSES.map((cause) => CAUSE_NAMES[cause]),
    ...mapData(map),
    places: places.map(({ name, operators: own }) => ({ name, operators: own })),
  };
  // Nothing in a script may look like its end.
  return JSON.stringify(wafer).replaceAll('<', '\\u003c');
}

function option(value: string, text: string): string {
  return element('option', { value }, escaped(text));
}

function labelled(text: string, control: string): string {
  return element('label', {}, text, ' ', control);
}

function button(id: string, text: string, what: string): string {
  return element('button', { id, type: 'button', 'aria-label': what }, text);
}
