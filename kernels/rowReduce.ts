// Routes of a reduction over a row whose result comes back: a chain east and a broadcast west. A column's part of the
// chain is over before the broadcast reaches it, so its ramp never has both.

import type { Route } from '../emulator/program/fabric.ts';
import { broadcastRoutes } from './broadcast.ts';
import { CHAIN_COLORS, chainRoutes } from './chainReduce.ts';

/** First color of the chain, and the color of the broadcast. */
export const CHAIN = 0;
export const BROADCAST: number = CHAIN + CHAIN_COLORS;

export function rowReduceRoutes(cols: number, rows: number): Route[] {
  const routes: Route[] = [];
  for (let y = 0; y < rows; y++)
    routes.push(...chainRoutes(cols, y, CHAIN), ...broadcastRoutes(cols, y, BROADCAST, 'west'));
  return routes;
}
