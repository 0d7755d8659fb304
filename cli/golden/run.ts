// Runs what a golden says, with what --set changes: a model on the wafer alone, or the cases of a kernel.

import { dirname, isAbsolute, join } from 'node:path';
import { loadModel } from '../../compiler/model/load.ts';
import { isGptPreset } from '../../compiler/model/presets.ts';
import type { Golden } from '../../report/golden/document.ts';
import { type GoldenResult, resultOfRun } from '../../report/golden/result.ts';
import type { Timer } from '../../run/timer.ts';
import { runWafer } from '../../run/wafer.ts';
import { kernelResult } from './kernel.ts';

export interface Tools {
  readonly timer: Timer;
  readonly signal: AbortSignal;
}

export async function runGolden({ document, run, ...golden }: Golden, given: readonly string[], tools: Tools) {
  const set = [...golden.set, ...given];
  const folder = dirname(document.name);
  return 'kernel' in run
    ? kernelResult(run.kernel, set, folder, tools.signal)
    : modelResult(run.model, set, folder, tools);
}

async function modelResult(
  model: string,
  set: readonly string[],
  folder: string,
  { timer }: Tools,
): Promise<GoldenResult> {
  const spec = loadModel(isGptPreset(model) || isAbsolute(model) ? model : join(folder, model), { set });
  return resultOfRun(await runWafer(spec, { timer }));
}
