// For each ring position a queue of busy intervals [start, end) of cycles, ascending and disjoint, walked once by a
// pointer that never goes back. Two of them drive the token level: the cycles in which a core issues a reduce slot, and
// those in which its ramp passes a partial sum. `passed[p]` is the number of busy cycles before the pointer, so that a
// cycle t at the pointer has t - passed[p] free cycles before it.

import { plainArena } from './arena.ts';

/** 32-bit numbers of a cache line. */
export const LINE = 16;

export class Segments {
  readonly capacity: number;
  /** Intervals from one queue to the next: not a power of two, which would have all of them meet in a few sets of a cache. */
  readonly stride: number;
  /** Of interval i: its start, entry 2 i, and its end, side by side in a line of a cache. */
  readonly bounds: Int32Array;
  /** Pointer and end of each position's queue, counted without wrapping. */
  readonly at: Int32Array;
  readonly count: Int32Array;
  readonly passed: Int32Array;

  /** `intervals` that can lie between the pointer and the end of a queue; the capacity is a power of two. */
  constructor(positions: number, intervals: number, ints = plainArena.ints) {
    const capacity = 2 ** Math.ceil(Math.log2(intervals));
    this.capacity = capacity;
    this.stride = capacity + LINE / 2;
    this.bounds = ints(2 * positions * this.stride);
    this.at = ints(positions);
    this.count = ints(positions);
    this.passed = ints(positions);
  }

  /** Empties the queue of p; `passed` busy cycles lie before it. */
  reset(p: number, passed: number): void {
    this.at[p] = 0;
    this.count[p] = 0;
    this.passed[p] = passed;
  }

  /**
   * Appends [from, to). One that continues the last is joined to it: the pointer has never passed one that can grow. An
   * empty queue begins anew at its first entry, so that little memory is in use.
   */
  append(p: number, from: number, to: number): void {
    const { capacity, stride, bounds, at, count } = this;
    let n = count[p];
    if (n > at[p]) {
      const last = 2 * (p * stride + ((n - 1) & (capacity - 1)));
      if (bounds[last + 1] === from) {
        bounds[last + 1] = to;
        return;
      }
    } else {
      n = 0;
      at[p] = 0;
    }
    const next = 2 * (p * stride + (n & (capacity - 1)));
    bounds[next] = from;
    bounds[next + 1] = to;
    count[p] = n + 1;
  }

  /** First cycle >= t that is not busy. */
  firstFree(p: number, t: number): number {
    const { capacity, stride, bounds, at, count, passed } = this;
    let free = t;
    while (at[p] < count[p]) {
      const i = 2 * (p * stride + (at[p] & (capacity - 1)));
      if (bounds[i] > free) break;
      if (bounds[i + 1] > free) free = bounds[i + 1];
      passed[p] += bounds[i + 1] - bounds[i];
      at[p]++;
    }
    return free;
  }

  /** The cycle after `slots` free cycles from the free cycle t on. */
  afterFree(p: number, t: number, slots: number): number {
    const { capacity, stride, bounds, at, count, passed } = this;
    let after = t + slots;
    while (at[p] < count[p]) {
      const i = 2 * (p * stride + (at[p] & (capacity - 1)));
      if (bounds[i] >= after) break;
      after += bounds[i + 1] - bounds[i];
      passed[p] += bounds[i + 1] - bounds[i];
      at[p]++;
    }
    return after;
  }

  /** The first cycle that has `free` free cycles before it. */
  cycleOf(p: number, free: number): number {
    return this.afterFree(p, this.firstFree(p, this.passed[p]), free);
  }
}
