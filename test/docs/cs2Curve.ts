// examples/cs2-12k: the runs behind its tables and its figure, beside what was measured on a CS-2.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildGraph } from '../../compiler/graph/build.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import { loadModel } from '../../compiler/model/load.ts';
import type { Overrides } from '../../compiler/model/overrides.ts';
import { accumulatorsText } from '../../kernels/spmm/accumulators.ts';
import { chooseMapping } from '../../run/mapper.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer } from '../../run/timer.ts';

const root = new URL('../../', import.meta.url);
const model = fileURLToPath(new URL('examples/cs2-12k.json', root));
export const mappingFile: string = fileURLToPath(new URL('examples/cs2-12k/mapping.json', root));

const published = z
  .object({ data: z.array(z.object({ sparsity: z.number(), ideal: z.number(), speedup: z.number() })) })
  .parse(JSON.parse(readFileSync(new URL('validation/cs2-sparse-matmul-12k.json', root), 'utf8'))).data;

/** Measured on a CS-2, by sparsity. */
export const measured: ReadonlyMap<number, number> = new Map(
  published.map(({ sparsity, speedup }) => [sparsity, speedup]),
);

/** Between and beyond them, on ideal speed-ups of 3, 7 and 10. */
const BETWEEN = [0.666667, 0.857143, 0.9];

export const sparsities: readonly number[] = [...measured.keys(), ...BETWEEN].toSorted((a, b) => a - b);

export interface Point {
  readonly sparsity: number;
  readonly cycles: number;
  /** Over the first point, which is dense. */
  readonly speedup: number;
}

const timer = inProcessTimer();

function compiled(overrides: Overrides) {
  const spec = loadModel(model, overrides);
  return { graph: buildGraph(spec), machine: spec.machine.machine, request: spec.mapping };
}

/** The mapping that the mapper finds for the example, with these changes. */
export function mappingFor(overrides: Overrides): Promise<Mapping> {
  const { graph, machine, request } = compiled(overrides);
  return chooseMapping(graph, machine, request, timer);
}

async function cyclesIn(mapping: Mapping, overrides: Overrides): Promise<number> {
  const { graph, machine } = compiled(overrides);
  return (await runProgram(lower(placeGraph(graph, machine, mapping)), { timer })).cycles;
}

/** Of the example with these changes, all points in one mapping. */
export async function curveIn(mapping: Mapping, overrides: Overrides, at: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const sparsity of at) {
    const cycles = await cyclesIn(mapping, { ...overrides, sparsity: String(sparsity) });
    points.push({ sparsity, cycles, speedup: (points.at(0)?.cycles ?? cycles) / cycles });
  }
  return points;
}

/** The same with the mapping that is best for each point. */
export async function curveOfOwn(at: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const sparsity of at) {
    const overrides = { sparsity: String(sparsity) };
    const cycles = await cyclesIn(await mappingFor(overrides), overrides);
    points.push({ sparsity, cycles, speedup: (points.at(0)?.cycles ?? cycles) / cycles });
  }
  return points;
}

/** Share by which a point is above what was measured; `undefined` where nothing was published. */
export function errorOf({ sparsity, speedup }: Point): number | undefined {
  const real = measured.get(sparsity);
  return real === undefined ? undefined : speedup / real - 1;
}

/** The largest error of a curve, with its sign. */
export function worstOf(points: readonly Point[]): number {
  const errors = points.map((point) => errorOf(point) ?? 0);
  return errors.reduce((worst, error) => (Math.abs(error) > Math.abs(worst) ? error : worst), 0);
}

export function signed(error: number): string {
  return `${error < 0 ? '−' : '+'}${Math.abs(100 * error).toFixed(1)} %`;
}

function table(rows: readonly (readonly string[])[]): string {
  const [heading, ...lines] = rows;
  return [heading, heading.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function curveTable(points: readonly Point[], own: readonly Point[]): string {
  const rows = points.map((point, i) => {
    const error = errorOf(point);
    return [
      `${(100 * point.sparsity).toFixed(1)} %`,
      point.cycles.toLocaleString('en-US'),
      point.speedup.toFixed(2),
      measured.get(point.sparsity)?.toFixed(2) ?? '',
      error === undefined ? '' : signed(error),
      (1 / (1 - point.sparsity)).toFixed(0),
      own[i].speedup.toFixed(2),
    ];
  });
  return table([['zeros', 'cycles', 'emulated', 'measured', 'error', 'ideal', 'own mappings'], ...rows]);
}

/** A change of the example; `isMappedAnew` lets the mapper choose with it, otherwise the mapping of the example stays. */
export interface Change {
  readonly what: string;
  readonly overrides: Overrides;
  readonly isMappedAnew: boolean;
}

export async function changeTable(changes: readonly Change[]): Promise<string> {
  const rows: string[][] = [];
  for (const { what, overrides, isMappedAnew } of changes) {
    const mapping = await mappingFor(isMappedAnew ? overrides : { ...overrides, mapping: mappingFile });
    const points = await curveIn(mapping, overrides, [...measured.keys()]);
    const { columns, tokensPerPe, accumulators } = mapping;
    const last = points[points.length - 1];
    rows.push([
      what,
      ...[columns, tokensPerPe].map(String),
      accumulatorsText(accumulators),
      last.speedup.toFixed(2),
      signed(worstOf(points)),
    ]);
  }
  return table([['', 'C', 'T', 'K', 'at 88.9 %', 'largest error'], ...rows]);
}
