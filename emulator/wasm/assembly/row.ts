// The closed forms of one row of the ring, in AssemblyScript: the twin of emulator/streamed/main.ts, on the same arrays,
// four positions at a time. Along the chain F is a running maximum once the way from the first position, `skew`, is taken
// off. Positions that must be walked token by token, or are about to be, are looked at one by one (watch.ts).

import { reduceFeature, startReduce } from './reduce';
import {
  at,
  C,
  controlSlots,
  firstLevel,
  firstOf,
  four,
  K,
  lead,
  mainFree,
  N,
  nnz,
  phiLast,
  pieceCount,
  put,
  putFour,
  reduceFree,
  reduceFrom,
  startState,
  token,
  waves,
  weightSlots,
} from './state';
import { endTokens, logFeature, logFirstPsums, startFeature, startTokens, walkTokens } from './tokens';
import { isLogged, startWatch, watchBank, watchedCell, watchedFrom } from './watch';

/** Where the parameters of the token level begin, and those of watched positions. */
const TOKEN_PARAMETERS: i32 = 22;
const WATCH_PARAMETERS: i32 = 33;

let skew: usize;
/** The way once round the ring. */
let roundTrip: i32;
/** The running maximum of F, less skew, at the position before. */
let carried: i32;

export function start(parameters: usize): void {
  startState(parameters);
  startReduce(at(parameters, 19), at(parameters, 20));
  skew = at(parameters, 21);
  startTokens(parameters, TOKEN_PARAMETERS);
  startWatch(parameters, WATCH_PARAMETERS);
  let way = 0;
  for (let p = 0; p < C; p++) {
    put(skew, p, way);
    way += at(lead, p);
  }
  roundTrip = way;
}

/** Every position token by token: no certificate, nothing handed back. */
export function runTokens(): void {
  for (let n = 0; n < N; n++) {
    startFeature(n);
    mainTokens(n);
    if (n >= waves) continue;
    reduceFeature(n);
    const first = firstOf(n);
    for (let p = 0; p < C; p++) logFeature(p, p !== first);
  }
  endTokens();
}

/** Runs all features; returns 1, or 0 where the certificate failed. */
export function run(): i32 {
  let watched = 0;
  for (let n = 0; n < N; n++) {
    const first = firstOf(n);
    const isWatched = n >= watched;
    if (isWatched) startFeature(n);
    carried = i32.MIN_VALUE >> 1;
    if (!mainSpan(n, first, C, first, isWatched)) return 0;
    carried += roundTrip;
    if (!mainSpan(n, 0, first, first, isWatched)) return 0;
    if (n < waves) {
      if (n >= waves - K) memory.copy(reduceFrom + (<usize>((n % K) * C) << 2), reduceFree, <usize>C << 2);
      reduceFeature(n);
    }
    if (isWatched) {
      watched = i32.MAX_VALUE;
      for (let p = 0; p < C; p++) {
        if (n < waves && isLogged(p)) logFeature(p, p !== first);
        watched = min(watched, watchedFrom(p));
      }
    }
  }
  endTokens();
  return 1;
}

/** Main threads and F of positions `from` to `end` of feature n; the chain begins at `first`. */
function mainSpan(n: i32, from: i32, end: i32, first: i32, isWatched: bool): bool {
  // Globals would be loaded anew at each use.
  const own = mainFree;
  const tokens = token;
  const reduce = reduceFree;
  const skews = skew;
  const watches = watchBank();
  const cols = C;
  const depth = K;
  const cells = nnz + (<usize>n * <usize>cols << 1);
  const row = <usize>cols << 2;
  // Rows of features that were not yet are zero, which is before everything.
  const free = phiLast + <usize>((n + 2) % (depth + 2)) * row;
  const before = phiLast + <usize>((n + depth + 1) % (depth + 2)) * row;
  // Without a wave nothing is kept of F.
  const latest = n < waves ? phiLast + <usize>(n % (depth + 2)) * row : reduce;
  const levels = n < waves ? firstLevel + <usize>(n % 3) * row : reduce;
  const counts = n < waves ? pieceCount + <usize>(n % 3) * row : reduce;
  const slots = i32x4.splat(weightSlots);
  const control = i32x4.splat(controlSlots);
  const one = i32x4.splat(1);
  const lowest = i32x4.splat(i32.MIN_VALUE >> 1);
  const feature = i32x4.splat(n);
  let carry = i32x4.splat(carried);
  let p = from;
  for (; p + 4 <= end; p += 4) {
    if (isWatched && v128.any_true(i32x4.le_s(four(watches, p), feature))) {
      carried = i32x4.extract_lane(carry, 0);
      for (let i = 0; i < 4; i++) if (!mainCell(n, p + i, first)) return false;
      carry = i32x4.splat(carried);
      continue;
    }
    const weights = v128.load16x4_u(cells + (<usize>p << 1));
    const begin = i32x4.max_s(four(own, p), four(free, p));
    let u = i32x4.add(i32x4.add(begin, i32x4.mul(weights, slots)), control);
    putFour(own, p, u);
    putFour(tokens, p, i32x4.add(four(tokens, p), i32x4.add(weights, one)));
    const way = four(skews, p);
    u = i32x4.sub(i32x4.max_s(u, four(before, p)), way);
    u = i32x4.max_s(u, i32x4.shuffle(lowest, u, 0, 4, 5, 6));
    u = i32x4.max_s(u, i32x4.shuffle(lowest, u, 0, 1, 4, 5));
    u = i32x4.max_s(u, carry);
    carry = i32x4.shuffle(u, u, 3, 3, 3, 3);
    u = i32x4.add(u, way);
    putFour(reduce, p, u);
    putFour(latest, p, u);
    putFour(levels, p, u);
    putFour(counts, p, one);
  }
  carried = i32x4.extract_lane(carry, 0);
  for (; p < end; p++) if (!mainCell(n, p, first)) return false;
  return true;
}

/** The same for one position. */
function mainCell(n: i32, p: i32, first: i32): bool {
  let u: i32;
  if (n >= watchedFrom(p)) {
    if (!watchedCell(p, n, first)) return false;
    u = at(mainFree, p);
  } else {
    const weights = <i32>load<u16>(nnz + (<usize>(n * C + p) << 1));
    u = max(at(mainFree, p), at(phiLast, ((n + 2) % (K + 2)) * C + p)) + weights * weightSlots + controlSlots;
    put(mainFree, p, u);
    put(token, p, at(token, p) + weights + 1);
  }
  u = max(u, at(phiLast, ((n + K + 1) % (K + 2)) * C + p));
  const way = at(skew, p);
  u = max(u, carried + way);
  carried = u - way;
  putFrom(n, p, u);
  return true;
}

/** F of position p, from which its staircase starts and, where nothing lifts it, stays. */
// @ts-ignore: decorator
@inline
function putFrom(n: i32, p: i32, from: i32): void {
  if (n >= waves) return;
  put(reduceFree, p, from);
  put(phiLast, (n % (K + 2)) * C + p, from);
  put(firstLevel, (n % 3) * C + p, from);
  put(pieceCount, (n % 3) * C + p, 1);
}

function mainTokens(n: i32): void {
  const rowBefore = ((n + K + 1) % (K + 2)) * C;
  let before = -1;
  let arrived = -1;
  let p = firstOf(n);
  for (let x = 0; x < C; x++) {
    if (x > 0 && n < waves) logFirstPsums(p, before);
    let u = walkTokens(p, <i32>load<u16>(nnz + (<usize>(n * C + p) << 1)));
    put(mainFree, p, u);
    u = max(max(u, at(phiLast, rowBefore + p)), arrived);
    putFrom(n, p, u);
    arrived = u + at(lead, p);
    before = p;
    p = p + 1 === C ? 0 : p + 1;
  }
  if (n >= waves - K && n < waves) memory.copy(reduceFrom + (<usize>((n % K) * C) << 2), reduceFree, <usize>C << 2);
}
