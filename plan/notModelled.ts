// What the numbers of a plan leave out, beside what a run of its model leaves out (report/notModelled.ts).

import type { Plan } from './plan.ts';
import { FAN_OUT, HOP_SECONDS } from './dataParallel.ts';

export function planNotModelled({ systems, phases }: Plan): string[] {
  const isDynamic = phases.some(({ dynamic }) => dynamic !== null);
  const isLora = phases.some(({ lora }) => lora !== null);
  return [
    'evaluation, checkpoints, reading of data, failures and restarts: steps follow each other',
    'the steps of a stage one by one: one is run, with the mask that its seed gives, and stands for all',
    ...(systems > 1
      ? [
          `the tree between systems: its nodes of ${FAN_OUT} ways keep up with the edges, as the maker says; ${HOP_SECONDS * 1e6} us a hop is assumed`,
          'a batch that does not divide: all systems take as long as the one with most sequences',
        ]
      : []),
    ...(isDynamic
      ? [
          'which weights move: indices stream with the weights in every step, so that other masks cost no stream of their own; they are chosen outside of the wafer, at no time',
        ]
      : []),
    ...(isLora ? ['gradients that end below the first adapter: they are taken down to the embedding'] : []),
    'energy beyond an estimate: watts of systems are from data sheets; hosts, MemoryX, SwarmX and the GPU are not in it',
  ];
}
