// How a bench takes time: CPU time of this process (all its threads), the median of several runs after one that warms up,
// with the extremes beside it. What is compared is run in turn, in one process. Where threads share the work, the time
// that passes counts too.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Measured<Result> {
  /** Seconds of CPU time. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly result: Result;
}

export function measure<Result>(runs: number, run: () => Result): Measured<Result> {
  let result = run();
  const seconds: number[] = [];
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    result = run();
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1e6);
  }
  seconds.sort((a, b) => a - b);
  return { median: seconds[runs >> 1], least: seconds[0], most: seconds[runs - 1], result };
}

export interface Turns<Result> {
  /** Median seconds that passed, and that all threads of this process computed. */
  readonly wall: number;
  readonly cpu: number;
  readonly result: Result;
}

/** Runs each in turn, `runs` times after once to warm up: what the computer does beside falls on all of them alike. */
export async function inTurn<Result>(
  runs: number,
  each: readonly (() => Result | Promise<Result>)[],
): Promise<Turns<Result>[]> {
  const results: Result[][] = each.map(() => []);
  const walls: number[][] = each.map(() => []);
  const seconds: number[][] = each.map(() => []);
  for (let turn = 0; turn <= runs; turn++)
    for (const [i, run] of each.entries()) {
      const from = performance.now();
      const before = process.cpuUsage();
      results[i][0] = await run();
      const { user, system } = process.cpuUsage(before);
      if (turn === 0) continue;
      walls[i].push((performance.now() - from) / 1e3);
      seconds[i].push((user + system) / 1e6);
    }
  return each.map((_, i) => ({ wall: medianOf(walls[i]), cpu: medianOf(seconds[i]), result: results[i][0] }));
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

const TASKS = '/proc/self/task';

/** CPU seconds of each thread of this process by its number, where the system says it (Linux); else none. */
export function threadSeconds(): ReadonlyMap<string, number> {
  if (!existsSync(TASKS)) return new Map();
  return new Map(
    readdirSync(TASKS).map((id) => [id, Number(readFileSync(`${TASKS}/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e9]),
  );
}

/** The machine of a measurement, for the head of a table. */
export function host(): string {
  const [cpu] = cpus();
  return `${cpu.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A table in Markdown. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

export function millions(value: number): string {
  return (value / 1e6).toPrecision(3);
}

export function milliseconds(seconds: number): string {
  return seconds < 1 ? (seconds * 1e3).toPrecision(3) : (seconds * 1e3).toFixed(0);
}
