// Workers may finish in any order: whichever it is, the result is the same bytes.

import { expect, test } from 'vitest';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer, type Timer } from '../../run/timer.ts';
import { tinyProgram } from '../compiler/lower/tinyProgram.ts';
import { draws } from '../fixtures/draws.ts';
import { gptLike, llamaLike } from './tiny.ts';

/** Times nothing until all of a program is asked for, and then in an order drawn from `seed`. */
function shuffledTimer(seed: number, finished: string[]): Timer {
  const { int } = draws(seed);
  const inner = inProcessTimer();
  const waiting: (() => Promise<void>)[] = [];
  const timeAll = async (): Promise<void> => {
    while (waiting.length > 0) await waiting.splice(int(0, waiting.length - 1), 1)[0]();
  };
  return {
    time: (shape, machine, name) => {
      if (waiting.length === 0) setImmediate(() => void timeAll());
      return new Promise((resolve, reject) => {
        waiting.push(async () => {
          finished.push(name);
          await inner.time(shape, machine, name).then(resolve, reject);
        });
      });
    },
    close: () => inner.close(),
  };
}

test.each([
  ['GPT', { ...gptLike, layers: 2 }],
  ['LLaMA', llamaLike],
])('the result of %s is the same bytes in whatever order its kernels are timed', async (_name, file) => {
  const program = tinyProgram(file);
  const inOrder = JSON.stringify(await runProgram(program, { timer: inProcessTimer() }));
  const orders = new Set<string>();
  for (let seed = 1; seed <= 5; seed++) {
    const finished: string[] = [];
    const result = await runProgram(program, { timer: shuffledTimer(seed, finished) });
    expect(JSON.stringify(result)).toBe(inOrder);
    orders.add(finished.join(' '));
  }
  expect(orders.size).toBe(5);
});
