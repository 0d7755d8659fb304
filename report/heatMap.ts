// The wafer on a terminal with colours: the share of its cycles in which a PE issues, from the west to the east and from the
// north to the south, squeezed into some lines. A sign is a half block: two cells, one above the other, each the mean of
// its PEs; those that are not in use do nothing.

import type { ChalkInstance } from 'chalk';
import type { Mapping } from '../compiler/mapping/mapping.ts';
import { CAUSE, CAUSE_COUNT } from '../emulator/program/causes.ts';
import type { OperatorMap } from '../run/waferMap.ts';
import type { Fabric } from './machine.ts';
import { percent } from './numbers.ts';

const CELLS_WIDE = 84;
const CELLS_HIGH = 12;

/** Dark to bright, as far as they differ in 16 colours too. */
const STOPS = ['#000000', '#0000aa', '#aa00aa', '#ff5555', '#ffff55'] as const;

export interface HeatMapOf {
  readonly map: readonly OperatorMap[];
  readonly mapping: Pick<Mapping, 'columns' | 'groups' | 'rows'>;
  readonly fabric: Fabric;
}

/** Lines of a picture; none without colours, where it could not be told apart. */
export function heatMapLines(of: HeatMapOf, colours: ChalkInstance): string[] {
  if (colours.level === 0) return [];
  const wide = Math.min(CELLS_WIDE, of.fabric.width);
  const high = Math.min(CELLS_HIGH, 2 * Math.ceil(of.fabric.height / 2));
  const cells = cellShares(of, wide, high);
  const most = Math.max(...cells);
  const colour = (x: number, y: number): string => {
    const share = y < high && most > 0 ? cells[y * wide + x] / most : 0;
    return STOPS[Math.round(share * (STOPS.length - 1))];
  };
  const head = `slots of each PE of its cycles, black 0 to yellow ${percent(most)}; the wafer, north up`;
  const lines = [`${'PEs'.padEnd(15)}${head}`];
  for (let y = 0; y < high; y += 2) {
    let line = ' '.repeat(15);
    for (let x = 0; x < wide; x++) line += colours.hex(colour(x, y)).bgHex(colour(x, y + 1))('\u2580');
    lines.push(line);
  }
  return lines;
}

/** By cell, row by row: the mean share of cycles in which its PEs issue. */
export function cellShares({ map, mapping, fabric }: HeatMapOf, wide: number, high: number): Float64Array {
  const { columns, groups, rows } = mapping;
  const cycles = map.reduce((sum, operator) => sum + operator.cycles, 0);
  const ofColumns = new Float64Array(columns);
  const ofRows = new Map<number, Float64Array>();
  for (const operator of map) {
    addSlots(ofColumns, operator.columns);
    for (const { width, counts } of operator.rows) {
      const slots = ofRows.get(width) ?? new Float64Array(rows);
      ofRows.set(width, slots);
      addSlots(slots, counts);
    }
  }
  const sums = new Float64Array(wide * high);
  const pes = new Float64Array(wide * high);
  for (let y = 0; y < fabric.height; y++)
    for (let x = 0; x < fabric.width; x++) {
      const cell = Math.floor((y * high) / fabric.height) * wide + Math.floor((x * wide) / fabric.width);
      pes[cell]++;
      if (x >= columns * groups || y >= rows) continue;
      sums[cell] += ofColumns[x % columns];
      for (const [width, slots] of ofRows) if (x % columns < width) sums[cell] += slots[y];
    }
  return sums.map((sum, cell) => (pes[cell] === 0 || cycles === 0 ? 0 : sum / pes[cell] / cycles));
}

function addSlots(slots: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < slots.length; i++) {
    const at = i * CAUSE_COUNT;
    slots[i] += counts[at + CAUSE.compute] + counts[at + CAUSE.overhead] + counts[at + CAUSE.reduce];
  }
}
