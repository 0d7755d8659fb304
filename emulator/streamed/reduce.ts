// The reduce threads of one feature, in free time, going back along the chain: what back-pressure adds to F. A position
// may send wavelet w only once the next one has taken wavelet w - B; that lifts its staircase, never the one downstream.

import { logOtherPsums, logReduceSlots } from './mainTokens.ts';
import { levelOf, type RowState } from './rowState.ts';

/** Fills the staircases and Phi(n, H - 1) of feature n from F. */
export function reduceFeature(state: RowState, n: number): void {
  const {
    shape,
    ends,
    psums: H,
    buffers,
    reduceFree,
    phiLast,
    pieceCount,
    pieceAt,
    pieceLevel,
    firstLevel,
    logged,
  } = state;
  const { cols: C, accumulators: K } = shape;
  const { slack, lift } = buffers;
  const bank = (n % 3) * C;
  const row = (n % (K + 2)) * C;
  let q = -1;
  let p = ends[n];
  for (let x = C - 1; x >= 0; x--) {
    const from = reduceFree[p];
    const pieces = (bank + p) * H;
    let count = 1;
    let level = from;
    pieceAt[pieces] = 0;
    pieceLevel[pieces] = from;
    if (q >= 0) {
      // The link out of p did not carry the feature that ended at p.
      const skips = n > 0 && ends[n - 1] === p;
      const before = skips ? n - 2 : n - 1;
      const shift = skips ? lift[p] - H : lift[p];
      const lifted = before >= 0 && phiLast[(before % (K + 2)) * C + q] + shift > from;
      if (lifted || phiLast[row + q] + lift[p] > from) {
        count = 0;
        level = from;
        let at = 0;
        if (lifted) {
          const other = (before % 3) * C + q;
          const tail = H - slack[p];
          for (let i = 0; i < pieceCount[other]; i++) {
            const up = levelOf(state, other, i) + shift;
            if (up <= level) continue;
            const start = pieceAt[other * H + i] - tail;
            if (start > at) {
              pieceAt[pieces + count] = at;
              pieceLevel[pieces + count++] = level;
              at = start;
            }
            level = up;
          }
        }
        const other = bank + q;
        for (let i = 0; i < pieceCount[other]; i++) {
          const up = levelOf(state, other, i) + lift[p];
          const start = pieceAt[other * H + i] + slack[p];
          if (start >= H) break;
          if (up <= level) continue;
          pieceAt[pieces + count] = at;
          pieceLevel[pieces + count++] = level;
          at = start;
          level = up;
        }
        pieceAt[pieces + count] = at;
        pieceLevel[pieces + count++] = level;
      }
    }
    pieceCount[bank + p] = count;
    firstLevel[bank + p] = pieceLevel[pieces];
    phiLast[row + p] = level;
    if (logged[p] !== 0) {
      logReduceSlots(state, p, n);
      if (x > 0) logOtherPsums(state, p, n);
    }
    q = p;
    p = p === 0 ? C - 1 : p - 1;
  }
}
