// The cycles in which routes used a port that they share with others, to see afterwards whether two ever met there.

import { ROUTE_PORTS, ROUTE_WORDS } from '../stepped/layout.ts';
import type { Routers } from '../stepped/load.ts';

const FIRST_CAPACITY = 64;

export class PortLog {
  /** Routes that share a port, router by router, as offsets of their records. */
  readonly groups: number[][] = [];
  readonly times: (Int32Array | undefined)[];
  readonly count: Int32Array;

  constructor({ firstRoute, routes }: Routers, pes: number) {
    this.times = Array.from({ length: routes.length });
    this.count = new Int32Array(routes.length);
    for (let pe = 0; pe < pes; pe++) {
      const records: number[] = [];
      for (let r = firstRoute[pe]; r < firstRoute[pe + 1]; r += ROUTE_WORDS) records.push(r);
      for (let port = 0; port < 5; port++) {
        const users = records.filter((r) => ((routes[r + ROUTE_PORTS] >> port) & 1) === 1);
        if (users.length < 2) continue;
        this.groups.push(users);
        for (const r of users) this.times[r] = new Int32Array(FIRST_CAPACITY);
      }
    }
  }

  add(route: number, t: number): void {
    const times = this.times[route];
    if (times === undefined) return;
    const n = this.count[route]++;
    if (n === times.length) {
      const larger = new Int32Array(2 * n);
      larger.set(times);
      larger[n] = t;
      this.times[route] = larger;
    } else times[n] = t;
  }

  /** Did two routes use a shared port in the same cycle? Times of one route ascend. */
  hasConflict(): boolean {
    return this.groups.some((users) => users.some((a, i) => users.slice(i + 1).some((b) => this.meet(a, b))));
  }

  private meet(a: number, b: number): boolean {
    const [left, right] = [this.times[a], this.times[b]];
    if (left === undefined || right === undefined) return false;
    let i = 0;
    let j = 0;
    while (i < this.count[a] && j < this.count[b]) {
      if (left[i] === right[j]) return true;
      if (left[i] < right[j]) i++;
      else j++;
    }
    return false;
  }
}
