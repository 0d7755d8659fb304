// The record that an instruction is written as.

import { expect, test } from 'vitest';
import { CAUSE } from '../../../emulator/program/causes.ts';
import { INSTRUCTION_WORDS, NONE, thread } from '../../../emulator/program/instruction.ts';

test('what an instruction does not name is none, one item and compute', () => {
  expect([...thread([{ slots: 4 }])]).toEqual([1, 0, 4, CAUSE.compute, NONE, NONE, NONE, NONE, NONE, 0, NONE, 0, 0, 0]);
});

test('every field has its word', () => {
  const all = { slots: 3, repeat: 2, overhead: 1, cause: CAUSE.reduce, trigger: 10, input: 11, output: 12, take: 13 };
  const words = thread([{ ...all, give: 14, control: true, code: 15, a: 16, b: 17, c: 18 }]);
  expect([...words]).toEqual([2, 1, 3, CAUSE.reduce, 10, 11, 12, 13, 14, 1, 15, 16, 17, 18]);
  expect(words).toHaveLength(INSTRUCTION_WORDS);
});

test('instructions of no items or no slots are left out', () => {
  expect(thread([{ slots: 5, repeat: 0 }, { slots: 0 }])).toHaveLength(0);
  expect(thread([{ slots: 0, overhead: 1 }])).toHaveLength(INSTRUCTION_WORDS);
});
