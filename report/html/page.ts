// The report of a run as one page that needs nothing else: no network, no server, no other file. What can be drawn beforehand is
// SVG and tables, here; the client (client/) draws the map of the wafer and moves what moves.

import { count, duration, percent, scaled, times } from '../numbers.ts';
import { clientScript, clientStyle } from './assets.ts';
import type { Compared, PageContent } from './content.ts';
import { energy } from './energy.ts';
import { mappingPicture } from './mapping.ts';
import { element, escaped, table } from './markup.ts';
import { memory } from './memory.ts';
import { boundText, placesOf } from './places.ts';
import { roofline } from './roofline.ts';
import { speedup, speedupTable } from './speedup.ts';
import { stalls } from './stalls.ts';
import { boundLegend, causeLegend, timeline } from './timeline.ts';
import { waferSection } from './waferSection.ts';

/** Nothing is loaded, whatever a name in the report looks like. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function page(content: PageContent): string {
  const { title, subtitle } = content;
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    element('title', {}, escaped(title)),
    element('style', {}, clientStyle()),
  ];
  const body = [
    '<a class="skip" href="#wafer-section">to the map of the wafer</a>',
    header(title, subtitle),
    element('main', {}, element('div', { class: 'tiles' }, ...tiles(content)), ...sections(content)),
    footer(content),
    '<div id="tip" role="tooltip" hidden></div>',
    element('script', { type: 'module' }, clientScript()),
  ];
  return `<!doctype html>\n<html lang="en"><head>${head.join('\n')}</head>\n<body>${body.join('\n')}</body></html>\n`;
}

const MOVES = 'Drag to move; once clicked, the wheel zooms, as do + and -; 0 shows all.';

function sections(content: PageContent): string[] {
  const { compared } = content;
  const places = placesOf(content);
  const ofTime = element('div', { class: 'time' }, timeline(content, places));
  const ofZeros = (of: Compared): string =>
    section(
      'speed-up',
      'Speed-up over sparsity',
      note(
        'Over the dense model on the same wafer, all in the mapping of this run; the GPU over its own dense kernels.',
      ),
      speedup(of),
      scrolled(speedupTable(of)),
    );
  const ofSlots = section(
    'roofline',
    'Roofline',
    note(
      'Vector slots of all cores. Every core has one a cycle, and the edge takes so many words a cycle; dashed, the PEs in use. At the right end are operators for which nothing passes the edge.',
    ),
    roofline(content, places),
  );
  return [
    section(
      'wafer',
      'Where the cycles of each PE went',
      note(`The pointer or the arrow keys choose a PE. ${MOVES}`),
      waferSection(content, places),
    ),
    section(
      'time',
      'Operators over time',
      note(`One pass, in the colour of what bounds each. ${MOVES}`),
      boundLegend(content.operators),
      ofTime,
    ),
    section(
      'causes',
      'Where the cycles of all PEs went',
      note('All PEs in use in one pass; each cycle of a PE has one cause.'),
      causeLegend(),
      lengths(),
      stalls(places),
    ),
    element('div', { class: 'pair' }, ofSlots, ...(compared === null ? [] : [ofZeros(compared)])),
    element(
      'div',
      { class: 'pair' },
      section('memory', 'Memory of the fullest PE', memory(content)),
      section('mapping', 'Mapping', mappingPicture(content)),
    ),
    section('energy', 'Energy', scrolled(energy(content))),
    section('operators', 'Operators', details(content)),
  ];
}

function note(text: string): string {
  return element('p', {}, escaped(text));
}

function section(id: string, title: string, ...content: readonly string[]): string {
  return element(
    'section',
    { id: `${id}-section`, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title),
    ...content,
  );
}

function header(title: string, subtitle: string): string {
  const names = element('div', {}, element('h1', {}, escaped(title)), element('p', {}, escaped(subtitle)));
  return element('header', {}, names, element('button', { id: 'theme', type: 'button' }, 'light or dark'));
}

function tiles({ wafer, compared }: PageContent): string[] {
  const { seconds, tokensPerSecond, cycles, utilisation } = wafer;
  const own = [
    tile(duration(seconds), `${count(cycles)} cycles, ${scaled(tokensPerSecond)} tokens/s`),
    tile(percent(utilisation), 'utilisation of all PEs of the wafer'),
  ];
  if (compared === null) return own;
  const { overGpu, overDenseWafer, overDenseWaferSameMapping, ideal } = compared.speedup;
  return [
    tile(times(overGpu), `over one ${compared.gpu}, dense, its kernels summed: ${duration(compared.gpuSeconds)}`),
    tile(
      times(overDenseWafer),
      `over the same wafer dense; ${times(overDenseWaferSameMapping)} in the mapping of this run`,
    ),
    tile(times(ideal), 'ideal: 1 / (share of the multiply-adds left)'),
    ...own,
  ];
}

function tile(value: string, text: string): string {
  return element('div', { class: 'tile' }, element('strong', {}, escaped(value)), element('span', {}, escaped(text)));
}

function lengths(): string {
  const box = element('label', {}, '<input type="checkbox" id="stalls-length"> as long as the operators take');
  return element('div', { class: 'controls' }, box);
}

function details({ operators }: PageContent): string {
  const rows = operators.map((operator) => {
    const { name, kernel, cycles, share, utilisation } = operator;
    return [name, count(cycles), percent(share), percent(utilisation), boundText(operator), kernel];
  });
  const head = ['operator', 'cycles of a pass', 'share', 'utilisation', 'bound by', 'kernels'];
  const all = scrolled(table(head, rows, [4, 5]));
  return element('details', {}, element('summary', {}, `${operators.length} operators, one by one`), all);
}

function scrolled(content: string): string {
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table' }, content);
}

function footer({ hashes, notModelled }: PageContent): string {
  const lines = [
    ...(notModelled.length > 0 ? [`Not modelled: ${notModelled.join('; ')}.`] : []),
    `Hashes: ${hashes.map(([name, hash]) => `${name} ${hash}`).join(', ')}.`,
  ];
  return element('footer', {}, ...lines.map((text) => element('p', {}, escaped(text))));
}
