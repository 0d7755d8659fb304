// The tables of examples/01-one-row, from an actual run of the stepped engine.

import { NONE } from '../../emulator/program/instruction.ts';
import { columnOf, hopsFrom, sendColor } from '../../emulator/program/ring.ts';
import { CAUSES } from '../../emulator/program/causes.ts';
import { psumWavelets, type SpmmShape } from '../../emulator/streamed/shape.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { type Trace, trace } from '../fixtures/trace.ts';

const WAITS: Readonly<Record<string, string>> = {
  waitWeights: 'waits for its first weight',
  waitThread: 'waits for the accumulator',
  waitPartial: 'waits for partial sums',
  waitCredit: 'waits for a credit',
  done: 'done',
};

export function oneRowTrace(shape: SpmmShape): Trace {
  return trace(spmmProgram(shape), shape.latencies);
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function span(from: number, to: number): string {
  return from === to ? String(from) : `${from}–${to}`;
}

/** What each slot of the main thread at ring position p is for, in order. */
function mainSlots({ features, cols, nnz, axpyOverhead, tokens, simd, controlSlots }: SpmmShape, p: number): string[] {
  const slots: string[] = [];
  const add = (count: number, what: string): void => {
    for (let i = 0; i < count; i++) slots.push(what);
  };
  for (let n = 0; n < features; n++) {
    for (let w = 1; w <= nnz[n * cols + p]; w++) {
      const weight = nnz[n * cols + p] > 1 ? `feature ${n}, weight ${w}` : `feature ${n}, its weight`;
      add(axpyOverhead, `${weight}: overhead`);
      add(Math.ceil(tokens / simd), `${weight}: 8 tokens`);
    }
    add(controlSlots, `feature ${n}: control`);
  }
  return slots;
}

/** The same for its reduce thread. */
function reduceSlots(shape: SpmmShape, p: number): string[] {
  const { features, cols } = shape;
  return Array.from({ length: features }, (_, n) => {
    const does = p === (n + 1) % cols ? 'sends' : p === n % cols ? 'adds and keeps' : 'adds and sends on';
    return Array.from({ length: psumWavelets(shape) }, () => `feature ${n}: ${does}`);
  }).flat();
}

/** One row for each stretch of cycles in which no PE turns to something else. */
export function cycleTable(shape: SpmmShape): string {
  const { cols } = shape;
  const run = oneRowTrace(shape);
  const does: string[][] = [];
  const heading = ['cycles'];
  for (let x = 0; x < cols; x++) {
    const p = Array.from({ length: cols }, (_, q) => q).findIndex((q) => columnOf(q, cols) === x);
    heading.push(`column ${x} (position ${p})`);
    const slots = [reduceSlots(shape, p), mainSlots(shape, p)];
    const next = [0, 0];
    does.push(
      run.core(x, 0).map(({ thread, cause }) => (thread === NONE ? WAITS[cause] : slots[thread][next[thread]++])),
    );
  }
  const rows: string[][] = [];
  for (let t = 0, from = 0; t < run.cycles; t++)
    if (t + 1 === run.cycles || does.some((column) => column[t] !== column[t + 1])) {
      rows.push([span(from, t), ...does.map((column) => column[t])]);
      from = t + 1;
    }
  return table(heading, rows);
}

/** The way of the partial sums: when they are issued, leave each router, and are taken. */
export function journeyTable(shape: SpmmShape): string {
  const { cols, features } = shape;
  const run = oneRowTrace(shape);
  const H = psumWavelets(shape);
  const rows: string[][] = [];
  const sent = new Int32Array(cols);
  for (let n = 0; n < features; n++)
    for (let x = 0; x < cols - 1; x++) {
      const p = (n + 1 + x) % cols;
      const [from, to] = [columnOf(p, cols), columnOf((p + 1) % cols, cols)];
      const color = sendColor(p, cols);
      const first = sent[p];
      sent[p] += H;
      const times = (all: readonly number[]): string => span(all[first], all[first + H - 1]);
      const way = [from, ...(hopsFrom(p, cols) === 2 ? [(from + to) / 2] : []), to];
      rows.push([
        String(n),
        `${from} to ${to}, color ${color}`,
        times(run.entered(from, 0, color)),
        way.map((at) => `${times(run.left(at, 0, color))} at column ${at}`).join(', '),
        times(run.taken(to, 0, color)),
      ]);
    }
  return table(['feature', 'columns', 'issued', 'leave the routers', 'taken'], rows);
}

export function causeTable(shape: SpmmShape): string {
  const run = oneRowTrace(shape);
  const rows = Array.from({ length: shape.cols }, (_, x) => {
    const cycles = run.core(x, 0);
    return [`column ${x}`, ...CAUSES.map((cause) => String(cycles.filter((each) => each.cause === cause).length))];
  });
  return table(['', ...CAUSES], rows);
}
