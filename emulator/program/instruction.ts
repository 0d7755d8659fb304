// An instruction of a thread, as a record of INSTRUCTION_WORDS integers, and the builder that writes them. An
// instruction is `repeat` items; an item is `overhead` slots, then `slots` element slots.
//   trigger  color of which each item takes one wavelet with its first slot, overhead slots included
//   input    color of which each element slot takes one wavelet
//   output   color on which each element slot sends one wavelet
//   take     semaphore taken with the first slot of the first item
//   give     semaphore given with the last slot of the last item
// NONE where there is none of these. `cause` is what the element slots count as; overhead slots count as overhead.

import { CAUSE } from './causes.ts';

export const NONE = -1;

export const AT_REPEAT = 0;
export const AT_OVERHEAD = 1;
export const AT_SLOTS = 2;
export const AT_CAUSE = 3;
export const AT_TRIGGER = 4;
export const AT_INPUT = 5;
export const AT_OUTPUT = 6;
export const AT_TAKE = 7;
export const AT_GIVE = 8;
/** 1 where the trigger must be a control wavelet, 0 where it must not. */
export const AT_CONTROL = 9;
export const AT_CODE = 10;
export const AT_A = 11;
export const AT_B = 12;
export const AT_C = 13;
export const INSTRUCTION_WORDS = 14;

export interface Instruction {
  readonly slots: number;
  readonly repeat?: number;
  readonly overhead?: number;
  readonly cause?: number;
  readonly trigger?: number;
  readonly input?: number;
  readonly output?: number;
  readonly take?: number;
  readonly give?: number;
  readonly control?: boolean;
  /** Index into the program's table of PE code, and its three operands. */
  readonly code?: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
}

/** The code of one thread. Instructions of no items or no slots are left out: they take no time and do nothing. */
export function thread(instructions: Iterable<Instruction>): Int32Array {
  const words: number[] = [];
  for (const i of instructions) {
    const { repeat = 1, overhead = 0, slots } = i;
    if (repeat === 0 || overhead + slots === 0) continue;
    words.push(repeat, overhead, slots, i.cause ?? CAUSE.compute);
    words.push(i.trigger ?? NONE, i.input ?? NONE, i.output ?? NONE, i.take ?? NONE, i.give ?? NONE);
    words.push(i.control ? 1 : 0, i.code ?? NONE, i.a ?? 0, i.b ?? 0, i.c ?? 0);
  }
  return Int32Array.from(words);
}
