// How a bench takes time: CPU time of this process (all its threads), the median of several runs after one that warms up,
// with the extremes beside it. What is compared is run in turn, in one process.

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
