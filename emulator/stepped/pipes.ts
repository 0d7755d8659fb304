// A bank of bounded buffers with credits: router buffers, core input queues and core output queues are all such pipes.
// An entry carries the cycle from which it can be taken; a freed entry carries the cycle from which its credit is back
// with the sender. So a push and a pop of one cycle cannot see each other, whatever the order of visiting.
//
// Layout: pipe i owns the `capacity[i]` entries from `first[i]`; `head` and `tail` are absolute entry indices.
// `headReady[i]` and `tailFree[i]` repeat the two times that decide whether a pop or a push can happen.

/** Later than any cycle of a run. */
export const NEVER = 0x7fffffff;

export class PipeBank {
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly head: Int32Array;
  readonly tail: Int32Array;
  readonly headReady: Int32Array;
  readonly tailFree: Int32Array;
  readonly ready: Int32Array;
  readonly free: Int32Array;
  readonly payload: Int32Array;
  readonly control: Uint8Array;
  /** Cycle of the last push: a second one in the same cycle would be two wavelets on one link. */
  readonly pushed: Int32Array;
  readonly creditLatency: number;

  constructor(capacities: readonly number[], creditLatency: number) {
    const n = capacities.length;
    const entries = capacities.reduce((sum, c) => sum + c, 0);
    this.creditLatency = creditLatency;
    this.first = new Int32Array(n);
    this.last = new Int32Array(n);
    let at = 0;
    capacities.forEach((capacity, i) => {
      this.first[i] = at;
      at += capacity;
      this.last[i] = at - 1;
    });
    this.head = this.first.slice();
    this.tail = this.first.slice();
    this.headReady = new Int32Array(n).fill(NEVER);
    this.tailFree = new Int32Array(n);
    this.ready = new Int32Array(entries).fill(NEVER);
    this.free = new Int32Array(entries);
    this.payload = new Int32Array(entries);
    this.control = new Uint8Array(entries);
    this.pushed = new Int32Array(n).fill(-1);
  }

  /** The caller has seen `tailFree[i] <= t`. */
  push(i: number, t: number, readyAt: number, payload: number, control: number): void {
    const at = this.tail[i];
    this.ready[at] = readyAt;
    this.free[at] = NEVER;
    this.payload[at] = payload;
    this.control[at] = control;
    this.pushed[i] = t;
    const next = at === this.last[i] ? this.first[i] : at + 1;
    this.tail[i] = next;
    this.tailFree[i] = this.free[next];
    if (at === this.head[i]) this.headReady[i] = readyAt;
  }

  /** The caller has seen `headReady[i] <= t`. Returns the entry, for its payload and control bit. */
  pop(i: number, t: number): number {
    const at = this.head[i];
    const creditAt = t + this.creditLatency;
    this.ready[at] = NEVER;
    this.free[at] = creditAt;
    const next = at === this.last[i] ? this.first[i] : at + 1;
    this.head[i] = next;
    this.headReady[i] = this.ready[next];
    if (at === this.tail[i]) this.tailFree[i] = creditAt;
    return at;
  }
}
