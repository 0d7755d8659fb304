// The roofline of the wafer: vector slots a cycle against vector slots for each word that passes the edge. Above are the
// cores, one slot a cycle each; to the left the edge, so many words a cycle. Both are exact, so no point lies above.

import { scaled } from '../numbers.ts';
import { COLOUR_OF_BOUND } from './causeNames.ts';
import type { PageContent } from './content.ts';
import { element, label, line, picture } from './markup.ts';
import type { Place } from './places.ts';

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 24;
const TOP = 14;
const BOTTOM = 44;

/** Where nothing passes the edge, at the right end. */
const LOCAL = 'no word at the edge';

interface Point {
  readonly place: Place;
  readonly intensity: number;
  readonly rate: number;
}

export function roofline(content: PageContent, places: readonly Place[]): string {
  const { machine, edgeWordsPerCycle: edge, mapping } = content;
  const peak = machine.fabric.width * machine.fabric.height;
  const used = mapping.groups * mapping.columns * mapping.rows;
  const points = places
    .filter(({ where }) => where.compute > 0)
    .map((place) => ({
      place,
      intensity: place.where.compute / place.edgeWords,
      rate: place.where.compute / place.cycles,
    }));
  const finite = points.map(({ intensity }) => intensity).filter(Number.isFinite);
  const ridge = peak / edge;
  const least = 10 ** Math.floor(Math.log10(Math.min(ridge / 10, ...finite)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(ridge * 100, ...finite)) + 0.3);
  const low = 10 ** Math.floor(Math.log10(Math.min(least * edge, ...points.map(({ rate }) => rate))));
  const x = logScale(least, most, LEFT, WIDTH - RIGHT);
  const y = logScale(low, peak * 2, HEIGHT - BOTTOM, TOP);
  const roof = (slots: number, kind: string): string => {
    const bend = Math.max(least, slots / edge);
    const at = [least, bend, most].map((i) => `${x(i).toFixed(1)},${y(Math.min(slots, i * edge)).toFixed(1)}`);
    return element('polyline', { points: at.join(' '), class: kind });
  };
  return picture(
    WIDTH,
    HEIGHT,
    `roofline: ${points.length} kinds of operators under ${scaled(peak)} slots a cycle and ${edge} words a cycle at the edge`,
    ...decades(least, most).map((at) => line(x(at), TOP, x(at), HEIGHT - BOTTOM, { class: 'grid' })),
    ...decades(least, most).map((at) => label(x(at), HEIGHT - BOTTOM + 16, power(at), { class: 'tick middle' })),
    ...decades(low, peak * 2).map((at) => line(LEFT, y(at), WIDTH - RIGHT, y(at), { class: 'grid' })),
    ...decades(low, peak * 2).map((at) => label(LEFT - 6, y(at) + 4, power(at), { class: 'tick end' })),
    label((LEFT + WIDTH) / 2, HEIGHT - 6, 'vector slots for each word at the edge', { class: 'title middle' }),
    label(14, HEIGHT / 2, 'vector slots a cycle', { class: 'title middle', transform: `rotate(-90 14 ${HEIGHT / 2})` }),
    roof(used, 'roof used'),
    roof(peak, 'roof'),
    label(WIDTH - RIGHT - 4, y(peak) - 5, `every core of the wafer: ${scaled(peak)}`, { class: 'note end' }),
    ...points.map((point) => dot(point, x, y, most)),
    ...named(points, x, y, most),
  );
}

function dot({ place, intensity, rate }: Point, x: Scale, y: Scale, most: number): string {
  const words = Number.isFinite(intensity) ? `${scaled(intensity)} slots a word` : LOCAL;
  return element('circle', {
    cx: x(Math.min(intensity, most)),
    cy: y(rate),
    r: 4 + 10 * Math.sqrt(place.share),
    class: `dot fill-${COLOUR_OF_BOUND[place.bound]}`,
    'data-tip': `${place.name}: ${scaled(rate)} slots a cycle, ${words}, bound by ${place.bound}`,
  });
}

/** Names of the dearest, as far as they do not meet. */
function named(points: readonly Point[], x: Scale, y: Scale, most: number): string[] {
  const placed: { readonly left: number; readonly right: number; readonly at: number }[] = [];
  const texts: string[] = [];
  for (const { place, intensity, rate } of points.toSorted((a, b) => b.place.share - a.place.share)) {
    const cx = x(Math.min(intensity, most));
    const isLeft = cx > WIDTH / 2;
    const away = 6 + 10 * Math.sqrt(place.share);
    const at = y(rate) + 4;
    const length = place.name.length * 6.2;
    const left = isLeft ? cx - away - length : cx + away;
    const box = { left, right: left + length, at };
    if (
      left < LEFT ||
      placed.some((each) => Math.abs(each.at - at) < 12 && each.left < box.right && box.left < each.right)
    )
      continue;
    placed.push(box);
    texts.push(label(isLeft ? cx - away : cx + away, at, place.name, { class: isLeft ? 'note end' : 'note' }));
  }
  return texts;
}

/** A power of ten in few letters. */
function power(value: number): string {
  return value < 1 ? String(value) : scaled(value).replace(/\.0+/, '');
}

type Scale = (value: number) => number;

function logScale(from: number, to: number, at: number, until: number): Scale {
  const span = Math.log(to / from);
  return (value) => at + ((until - at) * Math.log(value / from)) / span;
}

/** Powers of ten; every second one where there are many. */
function decades(from: number, to: number): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  const step = last - first > 7 ? 2 : 1;
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step));
}
