// Sweeps in this process, and what they asked of their timer.

import { parseDocument } from '../../compiler/model/document.ts';
import type { Overrides } from '../../compiler/model/overrides.ts';
import { inProcessTimer, remembering, type Timer } from '../../run/timer.ts';
import { axesOf, pointsOf } from '../../sweep/grid.ts';
import { type Point, pointModels } from '../../sweep/points.ts';
import { runSweep, type SweepOptions, type Swept } from '../../sweep/sweep.ts';
import { gptLike } from '../run/tiny.ts';

/** One layer on 13 x 12 PEs in one mapping, so that nothing runs but the model and its dense twin. */
export const tinyFile = {
  ...gptLike,
  machine: { preset: 'wse2', fabric: { width: 13, height: 12 } },
  mapping: { columns: 12, tokensPerPe: 5 },
  workload: { batch: 2, sequence: 10 },
} as const;

export function pointsAt(vary: readonly string[], overrides: Overrides = {}, version = '1.0.0'): Point[] {
  const document = parseDocument('tiny.json', JSON.stringify(tinyFile));
  return pointModels(document, overrides, pointsOf(axesOf(vary, [])), version);
}

export interface Counting {
  readonly timer: Timer;
  /** Kernels that were run, each as it was asked for. */
  readonly runs: string[];
}

/** `onRun` may throw in place of a kernel. */
export function countingTimer(onRun: (kernel: string) => void = () => undefined): Counting {
  const runs: string[] = [];
  const inner = inProcessTimer();
  const timer: Timer = {
    time: async (shape, machine, name) => {
      runs.push(JSON.stringify([shape, machine]));
      onRun(shape.kernel);
      return inner.time(shape, machine, name);
    },
    close: () => inner.close(),
  };
  return { timer: remembering(timer, 1_000_000), runs };
}

export function sweepInto(
  folder: string,
  points: readonly Point[],
  options: Partial<SweepOptions> = {},
): Promise<Swept> {
  return runSweep(points, {
    folder,
    timer: countingTimer().timer,
    workers: 1,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...options,
  });
}
