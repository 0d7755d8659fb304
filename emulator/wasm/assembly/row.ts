// The closed forms of one row of the ring, in AssemblyScript: the twin of emulator/streamed/main.ts and reduce.ts, on the
// same arrays. A position that must be walked token by token, or is about to be, is handed to the caller (`cell`), as are
// the intervals it needs logged (`log`).

import { at, C, H, K, N, phiLast, pieceAt, pieceCount, pieceLevel, put, startState } from './state';
import { logFeature, logFirstPsums, startTokens, walkTokens } from './tokens';

/** Where the parameters of the token level begin. */
const TOKEN_PARAMETERS: i32 = 23;

@external("row", "cell")
declare function cell(p: i32, n: i32, x: i32, before: i32): i32;

@external("row", "log")
declare function log(p: i32, n: i32, x: i32): void;

let weightSlots: i32, controlSlots: i32;
let gapNumerator: i64, gapDenominator: i64, margin: i64;
let nnz: usize, mainFree: usize, reduceFree: usize, reduceFrom: usize;
let watchFrom: usize, logged: usize, token: usize;
let lead: usize, slack: usize, lift: usize;

/** `parameters`: the numbers above in order, as i32, then the addresses of the arrays in order. */
export function start(parameters: usize): void {
  startState(parameters);
  startTokens(parameters, TOKEN_PARAMETERS);
  weightSlots = at(parameters, 4);
  controlSlots = at(parameters, 5);
  gapNumerator = at(parameters, 6);
  gapDenominator = at(parameters, 7);
  margin = at(parameters, 8);
  nnz = at(parameters, 9);
  mainFree = at(parameters, 10);
  reduceFree = at(parameters, 11);
  reduceFrom = at(parameters, 13);
  watchFrom = at(parameters, 17);
  logged = at(parameters, 18);
  token = at(parameters, 19);
  lead = at(parameters, 20);
  slack = at(parameters, 21);
  lift = at(parameters, 22);
}

/** Every position token by token: no certificate, nothing handed back. */
export function runTokens(): void {
  for (let n = 0; n < N; n++) {
    mainTokens(n);
    reduceFeature(n, true);
  }
}

/** Runs all features; returns 1, or 0 where the certificate failed. */
export function run(): i32 {
  for (let n = 0; n < N; n++) {
    if (!mainFeature(n)) return 0;
    reduceFeature(n, false);
  }
  return 1;
}

function mainFeature(n: i32): bool {
  // Globals would be loaded anew at each use.
  const cols = C;
  const depth = K;
  const phi = phiLast;
  const own = mainFree;
  const reduce = reduceFree;
  const tokens = token;
  const watch = watchFrom;
  const leads = lead;
  const numerator = gapNumerator;
  const denominator = gapDenominator;
  const least = margin;
  const slots = weightSlots;
  const control = controlSlots;
  const rowFree = ((n + 2) % (depth + 2)) * cols;
  const rowBefore = ((n + depth + 1) % (depth + 2)) * cols;
  const keep = n >= N - depth ? (n % depth) * cols : -1;
  const cells = nnz + (<usize>n * <usize>cols << 1);
  let before = -1;
  let arrived = -1;
  let p = (n + 1) % cols;
  for (let x = 0; x < cols; x++) {
    let u: i32;
    if (n >= at(watch, p)) {
      if (!cell(p, n, x, before)) return false;
      u = at(own, p);
    } else {
      const weight = <i32>load<u16>(cells + (<usize>p << 1));
      let begin = at(own, p);
      if (n >= depth) begin = max(begin, at(phi, rowFree + p));
      const j = at(tokens, p);
      if (<i64>begin * denominator < <i64>j * numerator + least) return false;
      u = begin + weight * slots + control;
      put(tokens, p, j + weight + 1);
      put(own, p, u);
    }
    if (n > 0 && at(phi, rowBefore + p) > u) u = at(phi, rowBefore + p);
    if (arrived > u) u = arrived;
    put(reduce, p, u);
    arrived = u + at(leads, p);
    if (keep >= 0) put(reduceFrom, keep + p, u);
    before = p;
    p = p + 1 === cols ? 0 : p + 1;
  }
  return true;
}

function mainTokens(n: i32): void {
  const rowBefore = ((n + K + 1) % (K + 2)) * C;
  const keep = n >= N - K ? (n % K) * C : -1;
  let before = -1;
  let arrived = -1;
  let p = (n + 1) % C;
  for (let x = 0; x < C; x++) {
    if (x > 0) logFirstPsums(p, before, n);
    let u = walkTokens(p, n, <i32>load<u16>(nnz + (<usize>(n * C + p) << 1)));
    put(mainFree, p, u);
    if (n > 0) u = max(u, at(phiLast, rowBefore + p));
    u = max(u, arrived);
    put(reduceFree, p, u);
    arrived = u + at(lead, p);
    if (keep >= 0) put(reduceFrom, keep + p, u);
    before = p;
    p = p + 1 === C ? 0 : p + 1;
  }
}

function reduceFeature(n: i32, tokens: bool): void {
  // Globals would be loaded anew at each use.
  const cols = C;
  const depth = K;
  const height = H;
  const phi = phiLast;
  const counts = pieceCount;
  const starts = pieceAt;
  const levels = pieceLevel;
  const reduce = reduceFree;
  const lifts = lift;
  const slacks = slack;
  const watched = logged;
  const bank = (n % 3) * cols;
  const row = (n % (depth + 2)) * cols;
  let q = -1;
  let p = n % cols;
  for (let x = cols - 1; x >= 0; x--) {
    const from = at(reduce, p);
    const pieces = (bank + p) * height;
    let count = 1;
    let level = from;
    if (q >= 0) {
      const own = at(lifts, p);
      const before = x === cols - 2 ? n - 2 : n - 1;
      const shift = x === cols - 2 ? own - height : own;
      const lifted = before >= 0 && at(phi, (before % (depth + 2)) * cols + q) + shift > from;
      if (lifted || at(phi, row + q) + own > from) {
        count = 0;
        let from = 0;
        const ahead = at(slacks, p);
        if (lifted) {
          const other = (before % 3) * cols + q;
          const others = other * height;
          const tail = height - ahead;
          const end = at(counts, other);
          for (let i = 0; i < end; i++) {
            const up = at(levels, others + i) + shift;
            if (up <= level) continue;
            const first = at(starts, others + i) - tail;
            if (first > from) {
              put(starts, pieces + count, from);
              put(levels, pieces + count++, level);
              from = first;
            }
            level = up;
          }
        }
        const other = bank + q;
        const others = other * height;
        const end = at(counts, other);
        for (let i = 0; i < end; i++) {
          const first = at(starts, others + i) + ahead;
          if (first >= height) break;
          const up = at(levels, others + i) + own;
          if (up <= level) continue;
          put(starts, pieces + count, from);
          put(levels, pieces + count++, level);
          from = first;
          level = up;
        }
        put(starts, pieces + count, from);
        put(levels, pieces + count++, level);
      } else {
        put(starts, pieces, 0);
        put(levels, pieces, from);
      }
    } else {
      put(starts, pieces, 0);
      put(levels, pieces, from);
    }
    put(counts, bank + p, count);
    put(phi, row + p, level);
    if (tokens) logFeature(p, n, x > 0);
    else if (load<u8>(watched + <usize>p) !== 0) log(p, n, x);
    q = p;
    p = p === 0 ? cols - 1 : p - 1;
  }
}
