// For each ring position a queue of busy intervals [start, end) of cycles, ascending and disjoint, walked once by a
// pointer that never goes back. Two of them drive the token level: the cycles in which a core issues a reduce slot, and
// those in which its ramp passes a partial sum. `passed[p]` is the number of busy cycles before the pointer, so that a
// cycle t at the pointer has t - passed[p] free cycles before it.

import { plainArena } from './arena.ts';

export class Segments {
  readonly capacity: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Pointer and end of each position's queue, counted without wrapping. */
  readonly at: Int32Array;
  readonly count: Int32Array;
  readonly passed: Int32Array;

  /** `intervals` that can lie between the pointer and the end of a queue; the capacity is a power of two. */
  constructor(positions: number, intervals: number, ints = plainArena.ints) {
    const capacity = 2 ** Math.ceil(Math.log2(intervals));
    this.capacity = capacity;
    this.start = ints(positions * capacity);
    this.end = ints(positions * capacity);
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

  /** Appends [from, to). One that continues the last is joined to it: the pointer has never passed one that can grow. */
  append(p: number, from: number, to: number): void {
    const { capacity, start, end, at, count } = this;
    const n = count[p];
    if (n > at[p]) {
      const last = p * capacity + ((n - 1) & (capacity - 1));
      if (end[last] === from) {
        end[last] = to;
        return;
      }
    }
    const next = p * capacity + (n & (capacity - 1));
    start[next] = from;
    end[next] = to;
    count[p] = n + 1;
  }

  /** First cycle >= t that is not busy. */
  firstFree(p: number, t: number): number {
    const { capacity, start, end, at, count, passed } = this;
    let free = t;
    while (at[p] < count[p]) {
      const i = p * capacity + (at[p] & (capacity - 1));
      if (start[i] > free) break;
      if (end[i] > free) free = end[i];
      passed[p] += end[i] - start[i];
      at[p]++;
    }
    return free;
  }

  /** The cycle after `slots` free cycles from the free cycle t on. */
  afterFree(p: number, t: number, slots: number): number {
    const { capacity, start, end, at, count, passed } = this;
    let after = t + slots;
    while (at[p] < count[p]) {
      const i = p * capacity + (at[p] & (capacity - 1));
      if (start[i] >= after) break;
      after += end[i] - start[i];
      passed[p] += end[i] - start[i];
      at[p]++;
    }
    return after;
  }

  /** The first cycle that has `free` free cycles before it. */
  cycleOf(p: number, free: number): number {
    return this.afterFree(p, this.firstFree(p, this.passed[p]), free);
  }
}
