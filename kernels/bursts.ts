// How all positions of a ring send at the same time with one thread each: every position sends a burst, then receives
// one, and so on. When all have received a burst the way from each position to the next is empty, and it holds at least
// an output queue, a router buffer and an input queue; so a burst no longer than the two queues is always sent to its
// end without the receiver, and the burst after it is always received.

import type { Machine } from '../emulator/machine/spec.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { sendColor } from '../emulator/program/ring.ts';

/** Wavelets of a burst. */
export function burstLength({ core }: Machine): number {
  return core.outputQueue + core.inputQueue;
}

/** What a position sends and receives: wavelets, and the code of its slots with operand b, the first wavelet of the burst in a. */
export interface Transfer {
  readonly wavelets: number;
  readonly code: number;
  readonly b?: number;
}

/** Colors of ring position p: the one it receives on and the one it sends on. */
export function ringColors(
  p: number,
  size: number,
  firstColor: number,
): { readonly input: number; readonly output: number } {
  return {
    input: firstColor + sendColor((p + size - 1) % size, size),
    output: firstColor + sendColor(p, size),
  };
}

/**
 * One round of a ring position: it sends and receives in turn. All positions must be given the same `longest`, at least
 * the wavelets of every transfer of the round, or they would not agree on the number of bursts.
 */
export function* exchange(
  send: Transfer,
  receive: Transfer,
  longest: number,
  burst: number,
  colors: { readonly input: number; readonly output: number },
): Generator<Instruction> {
  for (let a = 0; a < longest; a += burst) {
    const part = ({ wavelets, code, b = 0 }: Transfer) => ({
      slots: Math.max(0, Math.min(burst, wavelets - a)),
      cause: CAUSE.reduce,
      code,
      a,
      b,
    });
    yield { ...part(send), output: colors.output };
    yield { ...part(receive), input: colors.input };
  }
}
