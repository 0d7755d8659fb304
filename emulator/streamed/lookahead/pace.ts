// From when on the stream of a position provably keeps ahead of its main thread, so that its features need not be walked.
//
// A token on the ramp was held up last by one of two: the token IQ before it, whose first slot made room, or the stream,
// which was not due. From there on the ramp passed a token or a partial sum in every cycle (the edge router's buffer
// holds 1 + creditLatency), and of partial sums at most IQ more than there were reduce slots. So in free time, in which
// token j has its first slot at u(j), it is not late if
//   (a) the IQ tokens before it take at least IQ + creditLatency + rampLatency slots, and
//   (b) u(j) >= due(j) + 1 + IQ + rampLatency.
// (a) holds if one of them is a weight and a weight takes long enough; (b) is asked where a feature begins, and a weight
// that takes at least `gap` slots keeps it. Nothing is asked of the tokens before, so what they did can be forgotten.

import { axpyElementSlots, type SpmmShape } from '../shape.ts';

/** By position. `lead` counts gap denominators: u * denominator - j * numerator at the first token j of a feature. */
export interface Pace {
  /** The first feature from which on (a) holds; N if there is none. */
  readonly from: Int32Array;
  /** What keeps (b) in all features from that one on: what it asks, and the most that empty cells use up. */
  readonly lead: Float64Array;
}

export function streamPace(shape: SpmmShape): Pace {
  const weightSlots = shape.axpyOverhead + axpyElementSlots(shape);
  const { cols: C, features: N, nnz, gap, controlSlots, latencies } = shape;
  const { routerBuffer, inputQueue: IQ, creditLatency, rampLatency } = latencies;
  const [numerator, denominator] = gap;
  const from = new Int32Array(C);
  const lead = new Float64Array(C);
  const enough = IQ + creditLatency + rampLatency;
  const weightGain = weightSlots * denominator - numerator;
  const controlGain = controlSlots * denominator - numerator;
  if (
    routerBuffer < 1 + creditLatency ||
    weightSlots + (IQ - 1) * Math.min(weightSlots, controlSlots) < enough ||
    weightGain < 0
  )
    return { from: from.fill(N), lead };
  const controlsSuffice = IQ * controlSlots >= enough;
  const controls = new Int32Array(C);
  const used = new Float64Array(C);
  for (let n = 0, cell = 0; n < N; n++)
    for (let p = 0; p < C; p++, cell++) {
      const weights = nnz[cell];
      if (controls[p] >= IQ && !controlsSuffice) {
        from[p] = n + 1;
        used[p] = 0;
        lead[p] = 0;
      } else {
        used[p] = Math.max(0, used[p] - weights * weightGain - controlGain);
        lead[p] = Math.max(lead[p], used[p]);
      }
      controls[p] = weights > 0 ? 1 : controls[p] + 1;
    }
  for (let p = 0; p < C; p++) lead[p] += (1 + IQ + rampLatency) * denominator;
  return { from, lead };
}
