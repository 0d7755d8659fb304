// A ring of columns on one row of the mesh: even columns in order going east, then odd columns coming back. Ring
// position p sends to p + 1 (mod C): two hops, one at the turns. A router has one route for a color, and between two
// senders of one direction lie the receiver and the next sender, so two colors a direction suffice.

import { PORT, type Port, type Route } from './fabric.ts';

/** Colors of a ring, counted from its first: two going east, two going west. */
export const RING_COLORS = 4;

/** Column of ring position p, of `cols` columns. */
export function columnOf(p: number, cols: number): number {
  const evens = (cols + 1) >> 1;
  return p < evens ? 2 * p : 2 * (cols - 1 - p) + 1;
}

/** Hops from ring position p to the next: 2, or 1 at the two turns; 0 in a ring of one. */
export function hopsFrom(p: number, cols: number): number {
  return cols === 1 ? 0 : Math.abs(columnOf((p + 1) % cols, cols) - columnOf(p, cols));
}

/** Color on which ring position p sends, counted from the first of the ring's colors. */
export function sendColor(p: number, cols: number): number {
  const from = columnOf(p, cols);
  const east = columnOf((p + 1) % cols, cols) > from;
  return (east ? 0 : 2) + ((from >> 1) & 1);
}

/** Routes of a ring over columns `x0 ..` of row y, with colors from `firstColor` on. `along` turns it to run down a column. */
export function ringRoutes(cols: number, x0: number, y0: number, firstColor: number, along: 'row' | 'column'): Route[] {
  if (cols === 1) return [];
  const [forward, back]: [Port, Port] = along === 'row' ? [PORT.E, PORT.W] : [PORT.S, PORT.N];
  const routes: Route[] = [];
  const add = (at: number, color: number, from: Port, to: Port): void => {
    const [x, y] = along === 'row' ? [x0 + at, y0] : [x0, y0 + at];
    routes.push({ x, y, color: firstColor + color, from, to: [to] });
  };
  for (let p = 0; p < cols; p++) {
    const from = columnOf(p, cols);
    const to = columnOf((p + 1) % cols, cols);
    const color = sendColor(p, cols);
    const [out, into] = to > from ? [forward, back] : [back, forward];
    add(from, color, PORT.R, out);
    if (Math.abs(to - from) === 2) add((from + to) / 2, color, into, out);
    add(to, color, into, PORT.R);
  }
  return routes;
}
