// The mapping as a drawing: groups of columns side by side on the wafer, sequences as bands of rows, and the ring of a group.

import { columnOf } from '../../emulator/program/ring.ts';
import { mappingText } from '../terminal.ts';
import type { PageContent } from './content.ts';
import { element, escaped, label, line, picture } from './markup.ts';

const WIDTH = 640;
const HEIGHT = 420;
const TOP = 24;
const TALL = 372;
/** Where the wafer ends and the group begins. */
const GROUP_LEFT = 350;
const GROUP_WIDE = 270;
/** Beyond these, bands of sequences are drawn as one. */
const MOST_BANDS = 128;
const DRAWN_COLUMNS = 12;

export function mappingPicture(content: PageContent): string {
  const { mapping, machine } = content;
  const { fabric } = machine;
  const attends = content.operators.some(({ kind }) => kind === 'scores');
  return [
    element('p', {}, escaped(mappingText(mapping, content.operators, fabric))),
    picture(
      WIDTH,
      HEIGHT,
      `${mapping.groups} groups of ${mapping.columns} columns on a wafer of ${fabric.width} x ${fabric.height} PEs`,
      ...waferDrawing(content, attends),
      ...groupDrawing(content, attends),
    ),
  ].join('');
}

function waferDrawing({ mapping, machine: { fabric } }: PageContent, attends: boolean): string[] {
  const { groups, columns, rows, rowsPerSequence } = mapping;
  const scale = Math.min(TALL / fabric.height, 300 / fabric.width);
  const [width, height] = [fabric.width * scale, fabric.height * scale];
  const bands = attends ? Math.floor(rows / rowsPerSequence) : 1;
  const parts = [
    label(0, TOP - 8, `wafer, ${fabric.width} x ${fabric.height} PEs`, { class: 'note' }),
    element('rect', { x: 0.5, y: TOP, width, height, class: 'unused' }),
  ];
  for (let g = 0; g < groups; g++) {
    const x = 0.5 + g * columns * scale;
    parts.push(
      element('rect', {
        x,
        y: TOP,
        width: columns * scale,
        height: rows * scale,
        class: g % 2 === 0 ? 'group' : 'group odd',
        'data-tip': `group ${g}: columns ${g * columns} to ${(g + 1) * columns - 1}, rows 0 to ${rows - 1}`,
      }),
    );
  }
  if (bands > 1 && bands <= MOST_BANDS)
    for (let b = 1; b < bands; b++) {
      const y = TOP + b * rowsPerSequence * scale;
      parts.push(line(0.5, y, groups * columns * scale, y, { class: 'grid' }));
    }
  return parts;
}

function groupDrawing({ mapping }: PageContent, attends: boolean): string[] {
  const { columns, tokensPerPe, rowsPerSequence, groups, rows } = mapping;
  const drawn = Math.min(columns, DRAWN_COLUMNS);
  const step = GROUP_WIDE / drawn;
  const size = Math.min(step * 0.7, 22);
  const center = (x: number): number => GROUP_LEFT + step * (x + 0.5);
  const texts = [
    `weights come in at the top of every column${groups > 1 ? `, the same for all ${groups} groups` : ''}`,
    `a PE holds T = ${tokensPerPe} tokens and 1 / ${columns} of their features`,
    ...(attends
      ? [`a sequence takes ${rowsPerSequence} rows; token a of its row r is position r + a x ${rowsPerSequence}`]
      : []),
    `rows 0 to ${rows - 1} do the same, each a cycle after the one above it`,
    'partial sums go round the ring: even columns east, odd ones back',
  ];
  const y = TOP + 60;
  const parts = [
    label(GROUP_LEFT, TOP - 8, `a row of a group: a ring of C = ${columns} columns`, { class: 'note' }),
    ...Array.from({ length: drawn }, (_, x) =>
      element('rect', {
        x: center(x) - size / 2,
        y: y - size / 2,
        width: size,
        height: size,
        class: x % 2 === 0 ? 'group' : 'group odd',
      }),
    ),
    ...ringArcs(columns, drawn, center, y, size),
    ...(columns > drawn ? [label(GROUP_LEFT + GROUP_WIDE + 4, y + 4, '...', { class: 'note' })] : []),
  ];
  return [...parts, ...texts.flatMap((text, i) => paragraph(text, y + 70 + 44 * i))];
}

/** Between drawn columns, those that go east above and those that come back below. */
function ringArcs(columns: number, drawn: number, center: (x: number) => number, y: number, size: number): string[] {
  const arcs: string[] = [];
  const arrows = columns === 1 ? 0 : columns;
  for (let p = 0; p < arrows; p++) {
    const [from, to] = [columnOf(p, columns), columnOf((p + 1) % columns, columns)];
    if (from >= drawn || to >= drawn) continue;
    const side = to > from ? -1 : 1;
    const [a, b] = [center(from), center(to)];
    const at = y + (side * size) / 2;
    const path = `M ${a.toFixed(1)} ${at.toFixed(1)} Q ${((a + b) / 2).toFixed(1)} ${(at + side * 22).toFixed(1)} ${b.toFixed(1)} ${at.toFixed(1)}`;
    arcs.push(
      element('path', {
        d: path,
        class: side < 0 ? 'arc' : 'arc back',
        'data-tip': `ring position ${p}: column ${from} to ${to}`,
      }),
    );
  }
  return arcs;
}

const LETTERS = 46;

function paragraph(text: string, y: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if (lines[last].length + word.length > LETTERS) lines.push(word);
    else lines[last] = lines[last] === '' ? word : `${lines[last]} ${word}`;
  }
  return lines.map((each, i) => label(GROUP_LEFT, y + 15 * i, each, { class: 'note' }));
}
