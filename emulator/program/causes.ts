// What a cycle of a PE went to. Every cycle of every PE has exactly one cause and they add up to the cycles of the run
// (docs/machine.md, "Where cycles go"). The first three are issued slots; the next four are cycles without a slot, named
// by what the thread waits for; `done` is after the last thread of the PE has finished.

export const CAUSES = [
  'compute',
  'overhead',
  'reduce',
  'waitWeights',
  'waitThread',
  'waitPartial',
  'waitCredit',
  'done',
] as const;

export type CauseName = (typeof CAUSES)[number];

export const CAUSE = {
  compute: 0,
  overhead: 1,
  reduce: 2,
  waitWeights: 3,
  waitThread: 4,
  waitPartial: 5,
  waitCredit: 6,
  done: 7,
} as const satisfies Record<CauseName, number>;

export const CAUSE_COUNT: number = CAUSES.length;

export type Where = Record<CauseName, number>;

/** The causes of the PE whose counts start at `offset` of a bank of CAUSE_COUNT numbers a PE, as an object. */
export function whereAt(bank: ArrayLike<number>, offset: number): Where {
  return {
    compute: bank[offset + CAUSE.compute],
    overhead: bank[offset + CAUSE.overhead],
    reduce: bank[offset + CAUSE.reduce],
    waitWeights: bank[offset + CAUSE.waitWeights],
    waitThread: bank[offset + CAUSE.waitThread],
    waitPartial: bank[offset + CAUSE.waitPartial],
    waitCredit: bank[offset + CAUSE.waitCredit],
    done: bank[offset + CAUSE.done],
  };
}

export function sumOfCauses(a: Where, b: Where): Where {
  const sum = { ...a };
  for (const cause of CAUSES) sum[cause] += b[cause];
  return sum;
}
