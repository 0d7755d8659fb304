// The figure of examples/cs2-12k as SVG: speed-up over dense, emulated as a line, measured as dots. Across stands the ideal
// speed-up, 1 / (share of weights left), as in the figure that the measurements come from.

import { measured, type Point } from './cs2Curve.ts';

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 48, right: 16, top: 16, bottom: 44 };
const MOST = 10;

const x = (ideal: number): number => MARGIN.left + ((ideal - 1) / (MOST - 1)) * (WIDTH - MARGIN.left - MARGIN.right);
const y = (speedup: number): number =>
  HEIGHT - MARGIN.bottom - ((speedup - 1) / (MOST - 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);

const at = (ideal: number, speedup: number): string => `${x(ideal).toFixed(1)},${y(speedup).toFixed(1)}`;
const idealOf = (sparsity: number): number => 1 / (1 - sparsity);

function text(left: number, top: number, anchor: 'start' | 'middle' | 'end', words: string): string {
  return `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
}

export function figure(points: readonly Point[]): string {
  const line = points.map(({ sparsity, speedup }) => at(idealOf(sparsity), speedup)).join(' ');
  const dots = [...measured].map(([sparsity, speedup]) => {
    const [cx, cy] = at(idealOf(sparsity), speedup).split(',');
    return `<circle cx="${cx}" cy="${cy}" r="4" fill="none" stroke="#c0392b" stroke-width="2"/>`;
  });
  const ticks = points.map(({ sparsity }) =>
    text(x(idealOf(sparsity)), HEIGHT - MARGIN.bottom + 18, 'middle', `${(100 * sparsity).toFixed(1)} %`),
  );
  const levels = Array.from({ length: MOST }, (_, i) => text(MARGIN.left - 8, y(i + 1) + 4, 'end', String(i + 1)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<polyline points="${at(1, MOST)} ${at(1, 1)} ${at(MOST, 1)}" fill="none" stroke="black"/>`,
    `<polyline points="${at(1, 1)} ${at(MOST, MOST)}" fill="none" stroke="gray" stroke-dasharray="4 4"/>`,
    `<polyline points="${line}" fill="none" stroke="#2c5f8a" stroke-width="2"/>`,
    ...dots,
    ...ticks,
    ...levels,
    text((WIDTH + MARGIN.left) / 2, HEIGHT - 8, 'middle', 'weights that are zero'),
    text(
      MARGIN.left + 12,
      MARGIN.top + 12,
      'start',
      'speed-up over dense: line emulated, circles measured, dashes ideal',
    ),
    '</svg>',
  ].join('\n')}\n`;
}
