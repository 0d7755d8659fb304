// The twin of `sweep` of emulator/streamed/lookahead/row.ts.

import { at } from '../state';
import { advanceMain } from './mainThread';
import { advanceReduce } from './reduceThread';
import { C, feature, N, NEVER, slotBound, tokensLeft } from './state';

/** Visits every position once; returns how many have slots left, or -1 - p where p waits for nothing. */
export function sweepLookahead(mostCycles: i32): i32 {
  let running = 0;
  for (let p = 0; p < C; p++) {
    if (isDone(p)) continue;
    do advanceReduce(p);
    while (advanceMain(p));
    if (at(tokensLeft, p) > 0) advanceReduce(p);
    if (isDone(p)) continue;
    running++;
    const bound = at(slotBound, p);
    if (bound !== NEVER && bound > mostCycles) return -1 - p;
  }
  return running;
}

/** The last waves may end before the main thread does. */
// @ts-ignore: decorator
@inline
function isDone(p: i32): bool {
  return at(slotBound, p) === NEVER && at(feature, p) === N;
}
