// The laws that every run asserts, whichever engine it is by, and the error of a run that breaks one (exit 5). Counts
// become a result only by way of `assertCauses`: the types of results carry its mark, and nothing else gives it.
//
//   link         a link carries at most one wavelet a cycle, and a stream enters no faster than the edge lets it
//   wavelets     what is sent is taken: by color, from each source to each core that it leads to
//   control      a wavelet is control exactly where the instruction that takes it says so
//   causes       the causes of each PE are no less than 0 and add up to the cycles; its slots are no more than those
//   utilisation  an operator has no more slots of multiply-adds than the wafer has cycles
//   totals       the counts of an operator are those of its steps, and those of a run are those of its operators

import { EmulateError, EXIT } from './errors.ts';
import { CAUSE_COUNT, CAUSES } from './program/causes.ts';

export type Law = 'link' | 'wavelets' | 'control' | 'causes' | 'utilisation' | 'totals';

/** The smallest case that shows a broken law, as a file, and the command that runs it. */
export interface SmallestCase {
  /** What the file is named for: a kernel or an operator. */
  readonly stem: string;
  readonly suffix: '.json' | '.program';
  readonly content: string | Uint8Array;
  /** Arguments of `emulate` before and after the name of the file. */
  readonly before: string;
  readonly after: string;
}

export class LawError extends EmulateError {
  readonly law: Law;
  readonly smallest: SmallestCase | undefined;

  constructor(law: Law, message: string, smallest?: SmallestCase) {
    super(EXIT.lawBroken, message);
    this.name = 'LawError';
    this.law = law;
    this.smallest = smallest;
  }
}

/** `name` is the program, kernel or operator; `text` says where, what was got and what the limit is. */
export function lawBroken(name: string, law: Law, text: string): LawError {
  return new LawError(law, `law broken in ${name}: ${text}; no result is reported`);
}

declare const mark: unique symbol;

/** Counts that keep the laws. */
export type Lawful<Counts> = Counts & { readonly [mark]: true };

interface Counted {
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE. */
  readonly where: ArrayLike<number>;
}

/** Throws unless the causes of each PE add up to the cycles; `placeOf` names the PE whose counts come i-th. */
export function assertCauses<Counts extends Counted>(
  name: string,
  counts: Counts,
  placeOf: (i: number) => string,
): asserts counts is Lawful<Counts> {
  const { cycles, where } = counts;
  for (let at = 0, pe = 0; at < where.length; at += CAUSE_COUNT, pe++) {
    let sum = 0;
    for (let c = 0; c < CAUSE_COUNT; c++) {
      const count = where[at + c];
      // Not `count < 0`: no number at all is no count either.
      if (!(count >= 0))
        throw lawBroken(name, 'causes', `${placeOf(pe)} has ${count} cycles of ${CAUSES[c]}, allowed 0 or more`);
      sum += count;
    }
    if (sum !== cycles)
      throw lawBroken(name, 'causes', `slots + stalls of ${placeOf(pe)} are ${sum}, cycles are ${cycles}`);
  }
}

/** Throws if a link has carried more wavelets than there were cycles. */
export function assertLink(name: string, link: string, wavelets: number, cycles: number): void {
  if (!(wavelets <= cycles))
    throw lawBroken(name, 'link', `${link} carries ${wavelets} wavelets, allowed one a cycle of ${cycles} cycles`);
}

/** Throws unless as many wavelets were taken as sent. */
export function assertTaken(name: string, what: string, sent: number, taken: number): void {
  if (sent !== taken) throw lawBroken(name, 'wavelets', `${what}: sent ${sent}, taken ${taken}`);
}
