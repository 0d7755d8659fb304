// What zeros buy over how many there are: emulated, ideal, and what a GPU gains by them over itself.

import { count, percent, times } from '../numbers.ts';
import type { Compared, ComparedPoint } from './content.ts';
import { element, label, line, picture, table, ticks } from './markup.ts';

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 48;
const RIGHT = 120;
const TOP = 14;
const BOTTOM = 44;

export function speedup(compared: Compared): string {
  const points = compared.curve.filter((point) => point.overDenseWafer !== null);
  const end = Math.min(1, points.reduce((most, { sparsity }) => Math.max(most, sparsity), 0) + 0.05);
  const highest = points.reduce(
    (most, { overDenseWafer, ideal }) => Math.max(most, overDenseWafer ?? 1, ideal ?? 1),
    1.5,
  );
  const x = (sparsity: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * sparsity) / end;
  const y = (factor: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * factor) / (highest * 1.08);
  const path = (of: readonly (readonly [number, number])[], kind: string): string =>
    element('polyline', { points: of.map(([s, f]) => `${x(s).toFixed(1)},${y(f).toFixed(1)}`).join(' '), class: kind });
  const emulated = points.map((point) => [point.sparsity, point.overDenseWafer ?? 1] as const);
  const gpu = compared.curve.flatMap(({ sparsity, gpuOverItself }) =>
    gpuOverItself === null || sparsity > end ? [] : [[sparsity, gpuOverItself] as const],
  );
  const ideal = idealCurve(compared.curve, end);
  const ends = [
    ['ideal', ideal.at(-1)],
    ['this wafer', emulated.at(-1)],
    ['the GPU', gpu.at(-1)],
  ] as const;
  return picture(
    WIDTH,
    HEIGHT,
    `speed-up over sparsity: ${points.map(({ sparsity, overDenseWafer }) => `${times(overDenseWafer)} at ${percent(sparsity)}`).join(', ')}`,
    ...ticks(highest, 6).map((at) => line(LEFT, y(at), WIDTH - RIGHT, y(at), { class: 'grid' })),
    ...ticks(highest, 6).map((at) => label(LEFT - 6, y(at) + 4, String(at), { class: 'tick end' })),
    ...ticks(end, 6).map((at) =>
      label(x(at), HEIGHT - BOTTOM + 16, `${Math.round(100 * at)} %`, { class: 'tick middle' }),
    ),
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, 'share of the weights that is zero', { class: 'title middle' }),
    label(12, HEIGHT / 2, 'times faster than dense', {
      class: 'title middle',
      transform: `rotate(-90 12 ${HEIGHT / 2})`,
    }),
    path(ideal, 'curve ideal'),
    path(gpu, 'curve gpu'),
    path(emulated, 'curve'),
    ...points.map((point) => dot(point, compared, x, y)),
    ...apart(ends.flatMap(([text, at]) => (at === undefined ? [] : [{ text, x: x(at[0]) + 8, y: y(at[1]) + 4 }]))),
  );
}

function dot(
  point: ComparedPoint,
  { ownSparsity }: Compared,
  x: (s: number) => number,
  y: (f: number) => number,
): string {
  const { sparsity, overDenseWafer, overGpu } = point;
  return element('circle', {
    cx: x(sparsity),
    cy: y(overDenseWafer ?? 1),
    r: sparsity === ownSparsity ? 6 : 4,
    class: 'dot fill-compute',
    'data-tip': `${percent(sparsity)} zero: ${times(overDenseWafer)} over the dense wafer, ${times(overGpu)} over the dense GPU`,
  });
}

/** 1 / (1 - share of sparse multiply-adds * sparsity), the share found at the sparsest point that has a bound. */
function idealCurve(curve: readonly ComparedPoint[], end: number): (readonly [number, number])[] {
  const known = curve.filter(({ sparsity, ideal }) => sparsity > 0 && ideal !== null).at(-1);
  if (known === undefined || known.ideal === null) return [];
  const share = (1 - 1 / known.ideal) / known.sparsity;
  const until = Math.min(end, known.sparsity);
  return Array.from({ length: 61 }, (_, i) => [(i * until) / 60, 1 / (1 - (share * i * until) / 60)]);
}

/** Labels from top to bottom, none on another. */
function apart(labels: readonly { readonly text: string; readonly x: number; readonly y: number }[]): string[] {
  let last = -Infinity;
  return labels
    .toSorted((a, b) => a.y - b.y)
    .map(({ text, x, y }) => {
      last = Math.max(y, last + 14);
      return label(x, last, text, { class: 'note' });
    });
}

function factor(value: number | null): string {
  return value === null ? '-' : times(value);
}

export function speedupTable({ curve }: Compared): string {
  const rows = curve.map(({ sparsity, cycles, overDenseWafer, ideal, overGpu, gpuOverItself }) => [
    percent(sparsity),
    cycles === null ? 'does not fit' : count(cycles),
    factor(overDenseWafer),
    factor(ideal),
    factor(overGpu),
    factor(gpuOverItself),
  ]);
  return table(['zero', 'cycles', 'over dense', 'ideal', 'over the dense GPU', 'GPU over itself'], rows);
}
