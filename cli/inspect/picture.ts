// A row of PEs by cycles as a picture of causes: a PE a line, letters where there is no colour, or too little; where there is, two
// PEs a line, the upper and the lower half of each place. Of a span longer than the line a place is several cycles, and shows
// the cause that most of them have.

import type { ChalkInstance } from 'chalk';
import { CAUSE_COUNT, CAUSES, type CauseName } from '../../emulator/program/causes.ts';
import type { CoreRun } from '../../emulator/stepped/recording.ts';
import type { PeView } from '../../run/watched.ts';

const WIDTH = 100;
const LABEL = 6;

/** Sixteen colours are too few to tell the causes apart. */
const LEVEL_OF_ALL = 2;

const LETTERS: Readonly<Record<CauseName, string>> = {
  compute: 'C',
  overhead: 'O',
  reduce: 'R',
  waitWeights: 'w',
  waitThread: 't',
  waitPartial: 'p',
  waitCredit: 'c',
  done: '.',
};

const COLOURS: Readonly<Record<CauseName, string>> = {
  compute: '#2e9e4f',
  overhead: '#d9a514',
  reduce: '#3b7dd8',
  waitWeights: '#c23b3b',
  waitThread: '#8e4ec6',
  waitPartial: '#e07b39',
  waitCredit: '#b04a7d',
  done: '#404040',
};

export function pictureLines(
  pes: readonly PeView[],
  { from, until }: { readonly from: number; readonly until: number },
  colours: ChalkInstance,
): string[] {
  const perPlace = Math.ceil((until - from) / (WIDTH - LABEL));
  const rows = pes.map(({ core }) => placesOf(core, from, until, perPlace));
  const label = (x: number): string =>
    String(x)
      .padStart(LABEL - 1)
      .padEnd(LABEL);
  const unit = perPlace === 1 ? 'a place is a cycle' : `a place is ${perPlace} cycles and shows what most of them were`;
  const head = [`columns downwards, cycles to the right; ${unit}`, ''];
  if (colours.level < LEVEL_OF_ALL) {
    const letters = rows.map((row, i) => `${label(pes[i].x)}${row.map((cause) => LETTERS[cause]).join('')}`);
    return [...head, ...letters, '', ...legendLines((cause) => `${LETTERS[cause]} ${cause}`)];
  }
  const lines: string[] = [];
  for (let i = 0; i < rows.length; i += 2) {
    const lower = i + 1 < rows.length ? rows[i + 1] : undefined;
    const halves = rows[i].map((upper, k) => {
      const top = colours.hex(COLOURS[upper]);
      return lower === undefined ? top('▀') : top.bgHex(COLOURS[lower[k]])('▀');
    });
    lines.push(label(pes[i].x) + halves.join(''));
  }
  return [...head, ...lines, '', ...legendLines((cause) => `${colours.hex(COLOURS[cause])('█')} ${cause}`)];
}

function legendLines(name: (cause: CauseName) => string): string[] {
  return [CAUSES.map(name).join('  ')];
}

/** The causes of the places, of `perPlace` cycles each. */
function placesOf(core: readonly CoreRun[], from: number, until: number, perPlace: number): CauseName[] {
  const places = Math.ceil((until - from) / perPlace);
  const counts = new Int32Array(places * CAUSE_COUNT);
  for (const run of core)
    for (let t = run.from; t < run.until; t++) counts[Math.floor((t - from) / perPlace) * CAUSE_COUNT + run.cause]++;
  return Array.from({ length: places }, (_, i) => {
    const own = counts.subarray(i * CAUSE_COUNT, (i + 1) * CAUSE_COUNT);
    return CAUSES[own.indexOf(own.reduce((a, b) => Math.max(a, b), 0))];
  });
}
