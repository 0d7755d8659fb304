// The reduce threads of one feature, in AssemblyScript: the twin of emulator/streamed/reduce.ts. The way along the chain
// has left every staircase flat at F; here, going back, those that back-pressure lifts are found, four positions at a
// time, and made anew.

import {
  at,
  C,
  endOf,
  firstLevel,
  four,
  H,
  K,
  levelOf,
  phiLast,
  pieceAt,
  pieceCount,
  pieceLevel,
  put,
  reduceFree,
} from './state';

let slack: usize, lift: usize;

export function startReduce(slacks: usize, lifts: usize): void {
  slack = slacks;
  lift = lifts;
}

/** Staircases and Phi(n, H - 1) of all positions. */
export function reduceFeature(n: i32): void {
  if (C === 1) return;
  // The last of the chain sends nothing.
  const last = endOf(n);
  reduceStretch(n, last - 1, 0);
  if (last === C - 1) return;
  reduceCell(n, C - 1, 0, C - 1 === skipping(n));
  reduceStretch(n, C - 2, last + 1);
}

/** The position whose link did not carry the feature before n, which ended there; -1 for the first feature. */
// @ts-ignore: decorator
@inline
function skipping(n: i32): i32 {
  return n > 0 ? endOf(n - 1) : -1;
}

/** Positions from `high` down to `low`, each sending to the next higher one, one of which may skip. */
function reduceStretch(n: i32, high: i32, low: i32): void {
  const skip = skipping(n);
  if (skip < low || skip > high) {
    reduceSpan(n, high, low);
    return;
  }
  reduceSpan(n, high, skip + 1);
  reduceCell(n, skip, skip + 1, true);
  reduceSpan(n, skip - 1, low);
}

/** Positions from `high` down to `low`, each sending to the next higher one. */
function reduceSpan(n: i32, high: i32, low: i32): void {
  const row = <usize>C << 2;
  const latest = phiLast + <usize>(n % (K + 2)) * row;
  // Of the first feature: a row that is zero, which lifts nothing.
  const before = phiLast + <usize>((n + K + 1) % (K + 2)) * row;
  const lifts = lift;
  const from = reduceFree;
  let p = high;
  for (; p - 3 >= low; p -= 4) {
    const i = p - 3;
    const level = i32x4.add(i32x4.max_s(four(before, i + 1), four(latest, i + 1)), four(lifts, i));
    if (v128.any_true(i32x4.gt_s(level, four(from, i))))
      // Each may lift the one before it, so they are looked at once more, one by one.
      for (let k = i + 3; k >= i; k--)
        if (max(at(before, k + 1), at(latest, k + 1)) + at(lifts, k) > at(from, k)) reduceCell(n, k, k + 1, false);
  }
  for (; p >= low; p--) reduceCell(n, p, p + 1, false);
}

/** Position p, which sends to q; `skips` if their link did not carry the feature before. */
function reduceCell(n: i32, p: i32, q: i32, skips: bool): void {
  const row = (n % (K + 2)) * C;
  const from = at(reduceFree, p);
  const own = at(lift, p);
  const before = skips ? n - 2 : n - 1;
  const shift = skips ? own - H : own;
  const lifted = before >= 0 && at(phiLast, (before % (K + 2)) * C + q) + shift > from;
  if (!lifted && at(phiLast, row + q) + own <= from) return;
  const bank = (n % 3) * C;
  const pieces = (bank + p) * H;
  const ahead = at(slack, p);
  let count = 0;
  let level = from;
  let first = 0;
  if (lifted) {
    const other = (before % 3) * C + q;
    const tail = H - ahead;
    const end = at(pieceCount, other);
    for (let i = 0; i < end; i++) {
      const up = levelOf(other, i) + shift;
      if (up <= level) continue;
      const start = (i === 0 ? 0 : at(pieceAt, other * H + i)) - tail;
      if (start > first) {
        put(pieceAt, pieces + count, first);
        put(pieceLevel, pieces + count++, level);
        first = start;
      }
      level = up;
    }
  }
  const other = bank + q;
  const end = at(pieceCount, other);
  for (let i = 0; i < end; i++) {
    const start = (i === 0 ? 0 : at(pieceAt, other * H + i)) + ahead;
    if (start >= H) break;
    const up = levelOf(other, i) + own;
    if (up <= level) continue;
    put(pieceAt, pieces + count, first);
    put(pieceLevel, pieces + count++, level);
    first = start;
    level = up;
  }
  put(pieceAt, pieces + count, first);
  put(pieceLevel, pieces + count++, level);
  put(firstLevel, bank + p, at(pieceLevel, pieces));
  put(pieceCount, bank + p, count);
  put(phiLast, row + p, level);
}
