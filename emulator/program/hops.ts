// Hops of a program: wavelets that go from a router to a neighbouring router. Routes are static, so each wavelet of a source, a
// stream or a core that sends a color, makes as many hops as its routes have links, whatever the cycle it makes them in.

import { type FabricProgram, PORT, type Port, type Route } from './fabric.ts';
import { AT_OUTPUT, AT_REPEAT, AT_SLOTS, INSTRUCTION_WORDS, NONE } from './instruction.ts';

/** Steps to the neighbour at each port, the ramp aside. */
const AWAY: readonly (readonly [dx: number, dy: number])[] = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
];

/** A wavelet that enters at the edge makes its first hop behind the router that it enters at. */
export function hopsOf(program: FabricProgram): number {
  const { width, routes, streams, cores } = program;
  const routeAt = new Map(routes.map((route) => [placeKey(route, route.color), route]));
  const links = new Map<Route, number>();
  let hops = 0;
  for (const { x, y, color, control } of streams) hops += control.length * linksFrom(x, y, color);
  const known = new Map<Int32Array, Map<number, number>>();
  cores.forEach(({ threads }, pe) => {
    for (const code of threads) {
      const sent = known.get(code) ?? sentBy(code);
      known.set(code, sent);
      for (const [color, wavelets] of sent) hops += wavelets * linksFrom(pe % width, Math.floor(pe / width), color);
    }
  });
  return hops;

  /** Links of the tree that a color runs down from a router on. */
  function linksFrom(x: number, y: number, color: number): number {
    const route = routeAt.get(placeKey({ x, y }, color));
    if (route === undefined) return 0;
    const so = links.get(route);
    if (so !== undefined) return so;
    const sum = route.to.reduce<number>((all, port) => all + linksBehind(route, port), 0);
    links.set(route, sum);
    return sum;
  }

  function linksBehind({ x, y, color }: Route, port: Port): number {
    if (port === PORT.R) return 0;
    const [dx, dy] = AWAY[port];
    return 1 + linksFrom(x + dx, y + dy, color);
  }
}

function placeKey({ x, y }: Pick<Route, 'x' | 'y'>, color: number): string {
  return `${x},${y},${color}`;
}

/** Wavelets that a thread sends, by color. */
function sentBy(code: Int32Array): Map<number, number> {
  const sent = new Map<number, number>();
  for (let i = 0; i < code.length; i += INSTRUCTION_WORDS) {
    const color = code[i + AT_OUTPUT];
    if (color !== NONE) sent.set(color, (sent.get(color) ?? 0) + code[i + AT_REPEAT] * code[i + AT_SLOTS]);
  }
  return sent;
}
