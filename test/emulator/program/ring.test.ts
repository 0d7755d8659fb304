// The ring of columns: where its positions lie, how far it is from one to the next, and that no router has two routes
// of one color.

import { describe, expect, test } from 'vitest';
import { PORT } from '../../../emulator/program/fabric.ts';
import { columnOf, hopsFrom, RING_COLORS, ringRoutes, sendColor } from '../../../emulator/program/ring.ts';
import { load } from '../../../emulator/stepped/load.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { programOf } from '../../fixtures/program.ts';

const sizes = Array.from({ length: 40 }, (_, i) => i + 1);
const positions = (cols: number): number[] => Array.from({ length: cols }, (_, p) => p);

test('even columns going east, then odd columns coming back', () => {
  expect(positions(7).map((p) => columnOf(p, 7))).toEqual([0, 2, 4, 6, 5, 3, 1]);
  expect(positions(8).map((p) => columnOf(p, 8))).toEqual([0, 2, 4, 6, 7, 5, 3, 1]);
  expect(positions(1).map((p) => columnOf(p, 1))).toEqual([0]);
  expect(positions(2).map((p) => columnOf(p, 2))).toEqual([0, 1]);
});

test.each(sizes)('%i columns: every column once, two hops on, one at the two turns', (cols) => {
  expect(
    positions(cols)
      .map((p) => columnOf(p, cols))
      .sort((a, b) => a - b),
  ).toEqual(positions(cols));
  const hops = positions(cols).map((p) => hopsFrom(p, cols));
  const turns = hops.filter((h) => h === 1).length;
  expect(turns).toBe(cols === 1 ? 0 : 2);
  expect(hops.every((h) => h === (cols === 1 ? 0 : 1) || h === 2)).toBe(true);
});

describe.each(['row', 'column'] as const)('routes along a %s', (along) => {
  test.each(sizes)('%i positions: each router knows a color once, and all routes lead from core to core', (cols) => {
    const routes = ringRoutes(cols, 0, 0, 5, along);
    const known = routes.map(({ x, y, color }) => `${x},${y} ${color}`);
    expect(new Set(known).size).toBe(known.length);
    expect(routes.every(({ color }) => color >= 5 && color < 5 + RING_COLORS)).toBe(true);
    // Loading refuses a route that leads nowhere or comes from elsewhere.
    load(programOf({ width: along === 'row' ? cols : 1, height: along === 'row' ? 1 : cols, routes }), WSE2);
    expect(routes.filter(({ from }) => from === PORT.R)).toHaveLength(cols === 1 ? 0 : cols);
    expect(routes.filter(({ to }) => to.includes(PORT.R))).toHaveLength(cols === 1 ? 0 : cols);
  });
});

test.each(sizes.slice(1))('%i columns: what position p sends on its color ends at p + 1', (cols) => {
  const routes = ringRoutes(cols, 0, 0, 0, 'row');
  const step = { [PORT.E]: 1, [PORT.W]: -1, [PORT.N]: 0, [PORT.S]: 0, [PORT.R]: 0 };
  for (let p = 0; p < cols; p++) {
    const color = sendColor(p, cols);
    let route = routes.find((r) => r.x === columnOf(p, cols) && r.color === color && r.from === PORT.R);
    for (let hops = 0; route !== undefined && !route.to.includes(PORT.R); hops++) {
      const x = route.x + step[route.to[0]];
      expect(hops).toBeLessThan(2);
      route = routes.find((r) => r.x === x && r.color === color && r.from !== PORT.R);
    }
    expect(route?.x).toBe(columnOf((p + 1) % cols, cols));
  }
});
