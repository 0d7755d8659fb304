// A stream for each column of a rectangle: it enters at the north edge, and the routers copy each wavelet to their core
// and south, so every row takes every wavelet, row r a cycle after row r - 1.

import type { Gap } from './edge.ts';
import { PORT, type Route, type Stream } from '../emulator/program/fabric.ts';

export function columnStreamRoutes(cols: number, rows: number, color: number): Route[] {
  const routes: Route[] = [];
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < cols; x++)
      routes.push({ x, y, color, from: PORT.N, to: y + 1 < rows ? [PORT.S, PORT.R] : [PORT.R] });
  return routes;
}

/** `wavelets` wavelets down column x, none a control wavelet. */
export function columnStream(x: number, color: number, wavelets: number, gap: Gap, payload?: Int32Array): Stream {
  return {
    x,
    y: 0,
    port: PORT.N,
    color,
    gapNumerator: gap[0],
    gapDenominator: gap[1],
    control: new Uint8Array(wavelets),
    ...(payload === undefined ? {} : { payload }),
  };
}
