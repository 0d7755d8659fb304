// A tiny model compiled for a tiny wafer, everything but the model fixed.

import { lower } from '../../../compiler/lower/lower.ts';
import { type Placement, placeGraph } from '../../../compiler/lower/placement.ts';
import type { Program } from '../../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../../compiler/mapping/fit.ts';
import { anyMapping, graphOf, waferOf } from '../../run/tiny.ts';

/** Two sequences of 16 tokens on 13 x 12 PEs: one group of 10 columns, 6 tokens a PE; with `train` a training step. */
export function tinyPlacement({ train = false, ...file }: Readonly<Record<string, unknown>>): Placement {
  const graph = graphOf(file, 2, 16, train === true ? { kind: 'train' } : {});
  const machine = waferOf(13, 12);
  const fit = fitMapping(graph, machine, anyMapping, { columns: 10, tokensPerPe: 6, accumulators: 4 });
  if (isMisfit(fit)) throw new Error(fit.what);
  return placeGraph(graph, machine, { ...fit, keyBlock: Math.min(fit.keyBlock, 4), logitSlice: 20 });
}

export function tinyProgram(file: Readonly<Record<string, unknown>>): Program {
  return lower(tinyPlacement(file));
}
