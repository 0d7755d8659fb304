// The laws (../laws.ts) of a row that was not stepped, from what the way to its counts has left: how many wavelets each
// link carried, that the edge could let the weights in, that all of them were taken, and that causes add up.

import { assertCauses, assertLink, assertTaken, lawBroken } from '../laws.ts';
import { columnOf } from '../program/ring.ts';
import { dueTime } from '../stepped/streams.ts';
import { endsOf, psumWavelets, type RowCounts, type RowTiming, type SpmmShape, wavesOf } from './shape.ts';

/** What was counted while a row was timed, by ring position. */
export interface RowUse {
  readonly shape: SpmmShape;
  /** Which way it was timed, for the message. */
  readonly path: string;
  /** Non-zeros of its stream, and tokens (those and control wavelets) that its main thread has taken. */
  readonly streamed: Int32Array;
  readonly token: Int32Array;
  /** Partial sums that were sent on the link out of it, and that the next position took; where they were counted. */
  readonly issued?: Int32Array;
  readonly taken?: Int32Array;
}

/** The counts as a timing; throws (exit 5) if they break a law. */
export function lawfulRow(use: RowUse, counts: RowCounts): RowTiming {
  const { shape, path, streamed, token, issued, taken } = use;
  const { cols, features, gap, latencies } = shape;
  const name = `spmm, ${path}`;
  const psums = psumsSent(shape);
  const placeOf = (p: number): string => `PE (${columnOf(p, cols)},0), ring position ${p},`;
  for (let p = 0; p < cols; p++) {
    const next = p + 1 === cols ? 0 : p + 1;
    assertTaken(name, `wavelets in = out of the weights of ${placeOf(p)}`, streamed[p] + features, token[p]);
    if (issued !== undefined)
      assertTaken(name, `partial sums of ${placeOf(p)} on the link to the next`, psums[p], issued[p]);
    if (taken !== undefined)
      assertTaken(name, `wavelets in = out of the partial sums of ${placeOf(p)}`, psums[p], taken[p]);
    assertLink(name, `the link of partial sums out of ${placeOf(p)}`, psums[p], counts.cycles);
    assertLink(name, `the ramp of ${placeOf(next)}`, psums[p] + token[next], counts.cycles);
    // A token passes the edge router, then the ramp, and takes a slot.
    const due = dueTime(token[p] - 1, gap[0], gap[1]);
    if (!(due + latencies.rampLatency + 1 < counts.cycles))
      throw lawBroken(
        name,
        'link',
        `the last weight of ${placeOf(p)} enters in cycle ${due} at the earliest, too late for ${counts.cycles} cycles`,
      );
  }
  assertCauses(name, counts, placeOf);
  return counts;
}

/** By position: the partial sums on the link out of it, which does not carry the features that end there. */
function psumsSent(shape: SpmmShape): Int32Array {
  const { cols } = shape;
  const carried = new Int32Array(cols).fill(cols === 1 ? 0 : wavesOf(shape));
  if (cols > 1) for (const end of endsOf(shape)) carried[end]--;
  const wavelets = psumWavelets(shape);
  return carried.map((count) => count * wavelets);
}
