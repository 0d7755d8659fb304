// Runs the points of a sweep: all on the same workers, each wafer once, each kernel of all wafers once. A point that fails
// is kept as what it is and does not stop the others; an interrupt, or a folder that cannot be written, stops all.

import { EmulateError, EXIT, internalError } from '../emulator/errors.ts';
import { buildReport } from '../report/report.ts';
import { type MainResult, runModelOn } from '../run/main.ts';
import type { Timer } from '../run/timer.ts';
import type { Varied } from './grid.ts';
import { type Measured, measuredOf } from './measured.ts';
import { type Failure, failureOf, isReady, type Point, type ReadyPoint } from './points.ts';
import { readPoint, writePoint } from './store.ts';

export interface SweepOptions {
  readonly folder: string;
  readonly timer: Timer;
  /** Threads of the timer. */
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Called with the points that are done and in all. */
  readonly onProgress: (done: number, total: number, label: string) => void;
}

export type Outcome = { readonly measured: Measured } | { readonly failure: Failure };

/** A point and what came of it. */
export interface Row {
  readonly varied: readonly Varied[];
  /** Names the file of the point; null where the point is no model. */
  readonly key: string | null;
  readonly outcome: Outcome;
}

export interface Swept {
  /** In the order of the grid. */
  readonly rows: readonly Row[];
  /** Points whose report was there already. */
  readonly there: number;
}

export async function runSweep(points: readonly Point[], options: SweepOptions): Promise<Swept> {
  const { workers, signal, onProgress } = options;
  const byKey = groupedBy(points.filter(isReady), ({ key }) => key);
  const outcomes = await outcomesThere(byKey, options);
  const rowsOf = (keys: Iterable<string>): number => sumOf(keys, (key) => byKey.get(key)?.length ?? 0);
  const there = rowsOf(outcomes.keys());
  let done = there + points.length - rowsOf(byKey.keys());
  const progress = (): void => onProgress(done, points.length, 'sweep');
  progress();
  const missing = [...byKey.values()].map(([point]) => point).filter(({ key }) => !outcomes.has(key));
  const wafers = groupedBy(missing, ({ waferKey }) => waferKey);
  // One more than there are workers, so that they have something to do while the next program is made.
  await inFlight([...wafers.values()], workers + 1, async (ofWafer) => {
    refuseInterrupted(signal);
    const ran = await runWafer(ofWafer, options);
    for (const [key, outcome] of ran) outcomes.set(key, outcome);
    done += rowsOf(ran.keys());
    progress();
  });
  return { rows: points.map((point) => rowOf(point, outcomes)), there };
}

/** What earlier runs left in the folder. */
async function outcomesThere(
  byKey: ReadonlyMap<string, readonly ReadyPoint[]>,
  { folder, signal }: SweepOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const [key, [point]] of byKey) {
    refuseInterrupted(signal);
    const report = await readPoint(folder, point);
    if (report !== undefined) outcomes.set(key, { measured: measuredOf(report) });
  }
  return outcomes;
}

function rowOf(point: Point, outcomes: ReadonlyMap<string, Outcome>): Row {
  const { varied } = point;
  if (!isReady(point)) return { varied, key: null, outcome: { failure: point.failure } };
  const { key } = point;
  const outcome = outcomes.get(key);
  if (outcome === undefined) throw internalError('a point of the sweep was not run');
  return { varied, key, outcome };
}

/** Points that differ in what the wafer is compared with. */
async function runWafer(
  points: readonly ReadyPoint[],
  { folder, timer, workers }: SweepOptions,
): Promise<Map<string, Outcome>> {
  const result = await resultOf(points[0], timer, workers);
  if ('failure' in result) return new Map(points.map(({ key }) => [key, result]));
  const outcomes = new Map<string, Outcome>();
  for (const { key, spec } of points) {
    const report = buildReport({ ...result, spec });
    await writePoint(folder, key, report);
    outcomes.set(key, { measured: measuredOf(report) });
  }
  return outcomes;
}

async function resultOf(
  { spec }: ReadyPoint,
  timer: Timer,
  workers: number,
): Promise<MainResult | { failure: Failure }> {
  try {
    return await runModelOn(spec, { timer, workers, twins: false, onProgress: () => undefined });
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

function refuseInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new EmulateError(EXIT.interrupted, 'interrupted');
}

/** So many at a time, in their order; the first that throws ends all, without starting more. */
async function inFlight<Task>(tasks: readonly Task[], most: number, run: (task: Task) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length) {
      try {
        await run(tasks[next++]);
      } catch (error) {
        next = tasks.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
}

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function sumOf<Item>(items: Iterable<Item>, numberOf: (item: Item) => number): number {
  let sum = 0;
  for (const item of items) sum += numberOf(item);
  return sum;
}
