// Where the threads of a run wait for each other: a barrier in shared memory. A cycle takes microseconds, so a thread
// first looks again and again, and goes to sleep only if the others are long in coming.

const ARRIVED = 0;
const TURN = 16;
const WORDS = 32;

/** Looks before a thread sleeps, some tens of microseconds. */
const LOOKS = 4000;

export function meetingPlace(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** Returns when all `threads` have called it as often as this one. */
export function meet(place: Int32Array, threads: number): void {
  // Read before arriving: afterwards the last one may already have begun the next turn.
  const turn = Atomics.load(place, TURN);
  if (Atomics.add(place, ARRIVED, 1) === threads - 1) {
    // Nobody arrives again before the turn changes, so the count must be back at zero first.
    Atomics.store(place, ARRIVED, 0);
    Atomics.add(place, TURN, 1);
    Atomics.notify(place, TURN);
    return;
  }
  for (let i = 0; i < LOOKS; i++) if (Atomics.load(place, TURN) !== turn) return;
  while (Atomics.load(place, TURN) === turn) Atomics.wait(place, TURN, turn);
}
