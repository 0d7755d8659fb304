// The twin of emulator/streamed/lookahead/links.ts.

import { at, put } from '../state';
import {
  arrived,
  arriveRing,
  arriveTimes,
  bufferRing,
  creditLatency,
  D,
  gone,
  hops,
  IQ,
  issued,
  issueTimes,
  leaveTimes,
  middle,
  passTimes,
  queueRing,
  rampLatency,
  resultLatency,
  taken,
  takeRing,
  takeTimes,
} from './state';

export function advanceLink(p: i32): void {
  const two = at(hops, p) === 2;
  const way = resultLatency + rampLatency;
  const credit = creditLatency;
  const buffers = D;
  const inputs = IQ;
  const queueMask = queueRing - 1;
  const bufferMask = bufferRing - 1;
  const arriveMask = arriveRing - 1;
  const takeMask = takeRing - 1;
  const issue = issueTimes + (<usize>(p * queueRing) << 2);
  const leave = leaveTimes + (<usize>(p * queueRing) << 2);
  const pass = passTimes + (<usize>(p * bufferRing) << 2);
  const arrive = arriveTimes + (<usize>(p * arriveRing) << 2);
  const take = takeTimes + (<usize>(p * takeRing) << 2);
  const count = at(issued, p);
  const room = at(taken, p) + inputs;
  let out = at(gone, p);
  let mid = at(middle, p);
  let end = at(arrived, p);
  for (let moved = true; moved && end < count; ) {
    moved = false;
    for (; out < count && (two ? mid : end) + buffers > out; out++) {
      moved = true;
      let t = at(issue, out & queueMask) + way;
      if (out > 0) t = max(t, at(leave, (out - 1) & queueMask) + 1);
      if (out >= buffers) {
        const freed = two ? at(pass, (out - buffers) & bufferMask) : at(arrive, (out - buffers) & arriveMask);
        t = max(t, freed + credit);
      }
      put(leave, out & queueMask, t);
    }
    if (two)
      for (; mid < out && mid < end + buffers; mid++) {
        moved = true;
        let t = at(leave, mid & queueMask) + 1;
        if (mid > 0) t = max(t, at(pass, (mid - 1) & bufferMask) + 1);
        if (mid >= buffers) t = max(t, at(arrive, (mid - buffers) & arriveMask) + credit);
        put(pass, mid & bufferMask, t);
      }
    for (; (two ? mid : out) > end && end < room; end++) {
      moved = true;
      let t = (two ? at(pass, end & bufferMask) : at(leave, end & queueMask)) + 1;
      if (end > 0) t = max(t, at(arrive, (end - 1) & arriveMask) + 1);
      if (end >= inputs) t = max(t, at(take, (end - inputs) & takeMask) + credit);
      put(arrive, end & arriveMask, t);
    }
  }
  put(gone, p, out);
  put(middle, p, mid);
  put(arrived, p, end);
}
