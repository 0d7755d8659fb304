// The worker's side of a run in bands: one task, one band from the first cycle to the last.

import { bandCycles, type BandEnd } from '../emulator/stepped/bandLoop.ts';
import type { BandPlan } from '../emulator/stepped/cut.ts';
import { meet } from '../emulator/stepped/meeting.ts';

export interface BandTask {
  readonly plan: BandPlan;
  readonly board: Int32Array;
  readonly place: Int32Array;
  readonly bands: number;
}

export default function run({ plan, board, place, bands }: BandTask): BandEnd {
  const cycles = bandCycles(plan, board, bands);
  for (;;) {
    const { done, value } = cycles.next();
    if (done) return value;
    meet(place, bands);
  }
}
