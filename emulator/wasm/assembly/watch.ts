// Positions that the closed form must look at, in AssemblyScript: the twin of watchedCell and changeLevel in
// emulator/streamed/main.ts. A position goes down to single tokens round a run of empty cells, and comes back.

import { at, C, controlSlots, H, K, mainFree, nnz, phiLast, put, token, waves, weightSlots } from './state';
import { enterTokens, gapDenominator, gapNumerator, IQ, logFirstPsums, rampLatency, startLog, walkTokens } from './tokens';

let watchFrom: usize, logged: usize, byToken: usize, tokenAtEntry: usize;
/** Runs of all positions, one after the other; by position the next one, and the end of its list. */
let runFrom: usize, runUntil: usize, nextRun: usize, endOfRuns: usize;

export function startWatch(parameters: usize, from: i32): void {
  watchFrom = at(parameters, from);
  logged = at(parameters, from + 1);
  byToken = at(parameters, from + 2);
  tokenAtEntry = at(parameters, from + 3);
  runFrom = at(parameters, from + 4);
  runUntil = at(parameters, from + 5);
  nextRun = at(parameters, from + 6);
  endOfRuns = at(parameters, from + 7);
}

// @ts-ignore: decorator
@inline
export function watchedFrom(p: i32): i32 {
  return at(watchFrom, p);
}

export function watchBank(): usize {
  return watchFrom;
}

// @ts-ignore: decorator
@inline
export function isLogged(p: i32): bool {
  return load<u8>(logged + <usize>p) !== 0;
}

/** Fills U of position p for feature n, `first` being where its chain begins. False if the certificate failed. */
export function watchedCell(p: i32, n: i32, first: i32): bool {
  const weights = <i32>load<u16>(nnz + (<usize>(n * C + p) << 1));
  const inside = isInside(p, n);
  // Within a run nothing else is asked of a position that is walked.
  if (inside && isByToken(p)) {
    walkCell(p, n, first, weights);
    return true;
  }
  const begin = max(at(mainFree, p), at(phiLast, ((n + 2) % (K + 2)) * C + p));
  const reduced = max(0, n - IQ - K + 1) * H;
  const spare =
    <i64>(begin + reduced - 1 - IQ - rampLatency) * <i64>gapDenominator - <i64>at(token, p) * <i64>gapNumerator;
  changeLevel(p, n, spare, inside);
  if (isByToken(p)) {
    walkCell(p, n, first, weights);
    return true;
  }
  if (n < waves && isLogged(p) && p !== first) logFirstPsums(p, p === 0 ? C - 1 : p - 1);
  if (spare < 0) return false;
  put(mainFree, p, begin + weights * weightSlots + controlSlots);
  put(token, p, at(token, p) + weights + 1);
  return true;
}

// @ts-ignore: decorator
@inline
function isByToken(p: i32): bool {
  return load<u8>(byToken + <usize>p) !== 0;
}

/** What is walked is logged too. */
function walkCell(p: i32, n: i32, first: i32, weights: i32): void {
  if (n < waves && p !== first) logFirstPsums(p, p === 0 ? C - 1 : p - 1);
  put(mainFree, p, walkTokens(p, weights));
}

/** Is feature n in a run of p? Passes the runs before it. */
function isInside(p: i32, n: i32): bool {
  let next = at(nextRun, p);
  const end = at(endOfRuns, p);
  while (next < end && at(runUntil, next) < n) next++;
  put(nextRun, p, next);
  return next < end && at(runFrom, next) <= n;
}

function changeLevel(p: i32, n: i32, spare: i64, inside: bool): void {
  const next = at(nextRun, p);
  const nearFrom = next < at(endOfRuns, p) ? at(runFrom, next) - K : i32.MAX_VALUE;
  const near = n >= nearFrom;
  if (isByToken(p)) {
    const walked = at(token, p) - at(tokenAtEntry, p) >= IQ;
    if (!walked || spare < 0 || spareUntil(n, spare) <= n + IQ + K) return;
    store<u8>(byToken + <usize>p, 0);
    if (!near) store<u8>(logged + <usize>p, 0);
  } else if (near) {
    if (!isLogged(p)) {
      store<u8>(logged + <usize>p, 1);
      startLog(p, n);
    }
    if (inside) {
      store<u8>(byToken + <usize>p, 1);
      put(tokenAtEntry, p, at(token, p));
      enterTokens(p);
    }
  }
  put(watchFrom, p, isByToken(p) ? 0 : min(nearFrom, spareUntil(n, spare)));
}

/** The feature after n in which the certificate must be looked at again. */
function spareUntil(n: i32, spare: i64): i32 {
  const gained = n >= IQ + K - 1 ? controlSlots + H : controlSlots;
  const loss = gapNumerator - gained * gapDenominator;
  return loss > 0 ? <i32>min<i64>(<i64>n + 1 + spare / <i64>loss, <i64>i32.MAX_VALUE) : i32.MAX_VALUE;
}
