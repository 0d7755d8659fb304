// A timeline as a Value Change Dump (IEEE 1364), a cycle being a nanosecond: what wave viewers read, and what vcd2fst packs. A track of
// slices is the number of what goes on, unknown where nothing does; groups are scopes.

import { inputError } from '../../emulator/errors.ts';
import { type Event, eventsOf, groupsOf, joined, type Timeline, type Written } from './timeline.ts';

const BITS = 32;
/** Identifiers are of the printable characters from ! to ~. */
const FIRST_CHARACTER = 33;
const CHARACTERS = 94;

const texts = new TextEncoder();

/** As much of it, from the start, as has room in `mostBytes`; `legend` says what numbers stand for. */
export function vcdTrace(timeline: Timeline, legend: readonly string[], mostBytes: number): Written {
  const head = headOf(timeline, legend);
  if (head.length > mostBytes)
    throw inputError(
      `--max-mb: the names of ${timeline.tracks.length} tracks alone are larger; take more, or fewer PEs`,
    );
  const chunks = [texts.encode(head)];
  let size = head.length;
  for (const changes of changesByTime(timeline)) {
    const [at, values] = changes;
    const text = `#${at}\n${[...values].map(([track, value]) => changeText(track, value)).join('')}`;
    if (size + text.length > mostBytes) return { bytes: joined(chunks), cutAt: at };
    chunks.push(texts.encode(text));
    size += text.length;
  }
  return { bytes: joined(chunks), cutAt: null };
}

function headOf(timeline: Timeline, legend: readonly string[]): string {
  const lines = [
    `$comment ${[timeline.name, ...legend].join('\n  ')} $end`,
    '$timescale 1 ns $end',
    `$scope module ${nameOf(timeline.name)} $end`,
  ];
  for (const [group, tracks] of groupsOf(timeline)) {
    lines.push(`$scope module ${nameOf(group)} $end`);
    for (const track of tracks)
      lines.push(`$var wire ${BITS} ${identifier(track)} ${nameOf(timeline.tracks[track].name)} [${BITS - 1}:0] $end`);
    lines.push('$upscope $end');
  }
  const unknown = timeline.tracks.map((_, track) => changeText(track, null));
  return [...lines, '$upscope $end', '$enddefinitions $end', '$dumpvars', `${unknown.join('')}$end`, ''].join('\n');
}

/** What a viewer takes as one word. */
function nameOf(name: string): string {
  return name.replace(/[^\w]+/g, '_').replace(/^_|_$/g, '');
}

function identifier(track: number): string {
  let text = '';
  for (let left = track + 1; left > 0; left = Math.floor((left - 1) / CHARACTERS))
    text += String.fromCharCode(FIRST_CHARACTER + ((left - 1) % CHARACTERS));
  return text;
}

function changeText(track: number, value: number | null): string {
  return `b${value === null ? 'x' : value.toString(2)} ${identifier(track)}\n`;
}

/** The last value of each track in every cycle in which any changes. */
function* changesByTime(timeline: Timeline): Generator<[at: number, values: Map<number, number | null>]> {
  let at = -1;
  let values = new Map<number, number | null>();
  for (const event of eventsOf(timeline)) {
    if (event.at !== at && values.size > 0) yield [at, values];
    if (event.at !== at) values = new Map();
    at = event.at;
    const [track, value] = changeOf(event);
    values.set(track, value);
  }
  if (values.size > 0) yield [at, values];
}

function changeOf(event: Event): [track: number, value: number | null] {
  if (event.kind === 'count') return [event.count.track, event.count.value];
  const { track, value } = event.slice;
  return [track, event.kind === 'end' ? null : value];
}
