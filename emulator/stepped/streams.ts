// The streams at the edge, one cycle. Wavelet k may enter at ceil(k * gap) or later, one a cycle, as soon as there is a
// credit; a late one does not delay the due times of later ones.

import type { Stream } from '../program/fabric.ts';
import type { State } from './load.ts';
import { NEVER, TAIL_FREE } from './layout.ts';

export interface StreamState {
  /** Next wavelet of each stream, and the first cycle it may enter. */
  readonly next: Int32Array;
  readonly due: Int32Array;
}

export function startStreams(streams: readonly Stream[]): StreamState {
  return {
    next: new Int32Array(streams.length),
    due: Int32Array.from(streams, ({ control }) => (control.length > 0 ? 0 : NEVER)),
  };
}

/** First cycle in which wavelet k of a stream may enter. Exact while k * gapNumerator stays below 2^53. */
export function dueTime(k: number, gapNumerator: number, gapDenominator: number): number {
  return Math.ceil((k * gapNumerator) / gapDenominator);
}

/** Lets in what can enter in cycle t; returns the number of wavelets. The streams sleep as one part. */
export function stepStreams(state: State, streamState: StreamState, t: number): number {
  const { pipes, entry, program, streamPart } = state;
  const { words, wake } = pipes;
  const { next, due } = streamState;
  if (wake[streamPart] > t) return 0;
  let entered = 0;
  let event = NEVER;
  for (let i = 0; i < entry.length; i++) {
    let possible = Math.max(due[i], words[entry[i] + TAIL_FREE]);
    if (possible <= t) {
      const { payload, control, gapNumerator, gapDenominator } = program.streams[i];
      const k = next[i]++;
      pipes.push(entry[i], t, t + 1, payload === undefined ? 0 : payload[k], control[k]);
      due[i] = k + 1 < control.length ? dueTime(k + 1, gapNumerator, gapDenominator) : NEVER;
      entered++;
      possible = Math.max(due[i], words[entry[i] + TAIL_FREE], t + 1);
    }
    if (possible < event) event = possible;
  }
  wake[streamPart] = event;
  return entered;
}
