// The bounded buffer with credits that every queue of the machine is, by itself and tight.

import { expect, test } from 'vitest';
import { CONTROL, HEAD_READY, NEVER, PAYLOAD, PUSHED, TAIL_FREE } from '../../../emulator/stepped/layout.ts';
import { PipeBank, pipeBanks } from '../../../emulator/stepped/pipes.ts';

const CONSUMER = 0;
const PRODUCER = 1;

function pipe(capacity: number, creditLatency: number): { bank: PipeBank; p: number } {
  const specs = [
    { capacity: 3, consumer: 2, producer: 2 },
    { capacity, consumer: CONSUMER, producer: PRODUCER },
  ];
  const bank = new PipeBank(pipeBanks(specs, creditLatency, 3));
  bank.wake.fill(NEVER);
  return { bank, p: bank.pipes[1] };
}

test('an entry can be taken in the cycle it was sent for, and the pipe is empty until then', () => {
  const { bank, p } = pipe(2, 1);
  expect(bank.words[p + HEAD_READY]).toBe(NEVER);
  bank.push(p, 10, 13, 77, 1);
  expect(bank.words[p + HEAD_READY]).toBe(13);
  expect(bank.words[p + PUSHED]).toBe(10);
  const entry = bank.pop(p, 13);
  expect(bank.words[entry + PAYLOAD]).toBe(77);
  expect(bank.words[entry + CONTROL]).toBe(1);
  expect(bank.words[p + HEAD_READY]).toBe(NEVER);
});

test('entries leave in the order in which they came', () => {
  const { bank, p } = pipe(3, 2);
  for (let k = 0; k < 20; k++) {
    bank.push(p, 10 * k, 10 * k + 1, k, 0);
    bank.push(p, 10 * k + 1, 10 * k + 5, 100 + k, 0);
    expect(bank.words[bank.pop(p, 10 * k + 1) + PAYLOAD]).toBe(k);
    expect(bank.words[p + HEAD_READY]).toBe(10 * k + 5);
    expect(bank.words[bank.pop(p, 10 * k + 5) + PAYLOAD]).toBe(100 + k);
  }
});

test.each([1, 2, 3])('a full pipe has no credit until %i cycles after one is taken', (creditLatency) => {
  const { bank, p } = pipe(2, creditLatency);
  expect(bank.words[p + TAIL_FREE]).toBe(0);
  bank.push(p, 4, 5, 0, 0);
  expect(bank.words[p + TAIL_FREE]).toBe(0);
  bank.push(p, 5, 6, 0, 0);
  expect(bank.words[p + TAIL_FREE]).toBe(NEVER);
  bank.pop(p, 9);
  expect(bank.words[p + TAIL_FREE]).toBe(9 + creditLatency);
  bank.pop(p, 11);
  expect(bank.words[p + TAIL_FREE]).toBe(9 + creditLatency);
  bank.push(p, 12, 13, 0, 0);
  expect(bank.words[p + TAIL_FREE]).toBe(11 + creditLatency);
});

test('the first wavelet wakes who takes it, the first credit who sends', () => {
  const { bank, p } = pipe(1, 2);
  bank.push(p, 4, 7, 0, 0);
  expect(bank.wake[CONSUMER]).toBe(7);
  expect(bank.wake[PRODUCER]).toBe(NEVER);
  bank.pop(p, 8);
  expect(bank.wake[PRODUCER]).toBe(10);
  expect(bank.wake[2]).toBe(NEVER);
});
