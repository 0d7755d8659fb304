// Instructions in words: what one is made of, and what a thread waits for that cannot go on with it.

import { CAUSE, CAUSES } from '../../emulator/program/causes.ts';
import * as instruction from '../../emulator/program/instruction.ts';

const { AT_CAUSE, AT_CONTROL, AT_GIVE, AT_INPUT, AT_OUTPUT, AT_OVERHEAD, AT_REPEAT, AT_SLOTS } = instruction;
const { AT_TAKE, AT_TRIGGER, INSTRUCTION_WORDS, NONE } = instruction;

/** Instruction `place` of a thread, e.g. `3 items of 5 + 2 slots of compute; each takes a wavelet of color 4`. */
export function instructionText(code: Int32Array, place: number): string {
  const word = (at: number): number => code[place * INSTRUCTION_WORDS + at];
  const [repeat, overhead, slots] = [word(AT_REPEAT), word(AT_OVERHEAD), word(AT_SLOTS)];
  const count = overhead === 0 ? `${slots}` : `${overhead} + ${slots}`;
  const many = repeat === 1 ? '' : `${repeat} items of `;
  const taken = `${repeat === 1 ? 'takes' : 'each takes'} a ${word(AT_CONTROL) === 1 ? 'control ' : ''}wavelet of color`;
  const parts = [
    `${many}${count} ${count === '1' ? 'slot' : 'slots'} of ${CAUSES[word(AT_CAUSE)]}`,
    ...(word(AT_TAKE) === NONE ? [] : [`takes semaphore ${word(AT_TAKE)}`]),
    ...(word(AT_TRIGGER) === NONE ? [] : [`${taken} ${word(AT_TRIGGER)}`]),
    ...(word(AT_INPUT) === NONE ? [] : [`receives color ${word(AT_INPUT)}`]),
    ...(word(AT_OUTPUT) === NONE ? [] : [`sends color ${word(AT_OUTPUT)}`]),
    ...(word(AT_GIVE) === NONE ? [] : [`gives semaphore ${word(AT_GIVE)}`]),
  ];
  return parts.join('; ');
}

/** Items and slots of an item. */
export function sizeOf(code: Int32Array, place: number): { readonly items: number; readonly slots: number } {
  const at = place * INSTRUCTION_WORDS;
  return { items: code[at + AT_REPEAT], slots: code[at + AT_OVERHEAD] + code[at + AT_SLOTS] };
}

/** What a thread at `slot` of an item of instruction `place` waits for, the cause of its waiting being `cause`. */
export function waitText(code: Int32Array, place: number, slot: number, cause: number): string {
  const word = (at: number): number => code[place * INSTRUCTION_WORDS + at];
  if (cause === CAUSE.waitThread) return `semaphore ${word(AT_TAKE)}`;
  if (cause === CAUSE.waitCredit) return `room, color ${word(AT_OUTPUT)}`;
  // Within an item only the input can be missing; at its start the trigger is looked at first.
  return `color ${slot === 0 && word(AT_TRIGGER) !== NONE ? word(AT_TRIGGER) : word(AT_INPUT)}`;
}
