// One column of a row sends to all others: the routers copy each wavelet to their core and onward, so every column
// takes every wavelet, one a slot. The sender is the first column in the direction of travel.
//
// Memory of a PE, in 32-bit words: words [wavelets], in fp32.

import { packSingle, single } from '../emulator/numerics/fp16.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import { type PeCode, PORT, type Route } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export type Toward = 'east' | 'west';

export interface BroadcastShape {
  readonly kernel: 'broadcast';
  readonly width: number;
  readonly wavelets: number;
  readonly toward?: Toward;
}

export interface BroadcastValues extends ValueMemory {
  readonly at: { readonly words: number };
}

export function broadcastRoutes(width: number, y: number, color: number, toward: Toward): Route[] {
  const [onward, back] = toward === 'east' ? [PORT.E, PORT.W] : [PORT.W, PORT.E];
  if (width === 1) return [];
  const routes: Route[] = [];
  for (let hop = 0; hop < width; hop++) {
    const x = toward === 'east' ? hop : width - 1 - hop;
    if (hop === 0) routes.push({ x, y, color, from: PORT.R, to: [onward] });
    else routes.push({ x, y, color, from: back, to: hop + 1 < width ? [onward, PORT.R] : [PORT.R] });
  }
  return routes;
}

/** What column x does; its code is two entries from `firstCode` on: `broadcastCode`. */
export function broadcastInstruction(
  x: number,
  width: number,
  wavelets: number,
  color: number,
  toward: Toward,
  firstCode: number,
): Instruction {
  const root = x === (toward === 'east' ? 0 : width - 1);
  const common = { slots: width === 1 ? 0 : wavelets, cause: CAUSE.reduce };
  return root ? { ...common, output: color, code: firstCode } : { ...common, input: color, code: firstCode + 1 };
}

/** Code of the sender and of the others; wavelet i carries word `words` + i. */
export function broadcastCode(words: number): PeCode[] {
  const send: PeCode = (memory, base, { slot }) => packSingle(memory[base + words + slot]);
  const receive: PeCode = (memory, base, { slot }, wavelet) => {
    memory[base + words + slot] = single(wavelet);
    return 0;
  };
  return [send, receive];
}

export const broadcast: Kernel<BroadcastShape, BroadcastValues> = {
  rows: 'same',
  program({ width, wavelets, toward = 'east' }, _machine, values) {
    return singleThreadProgram(
      {
        name: 'broadcast',
        width,
        height: 1,
        routes: broadcastRoutes(width, 0, 0, toward),
        cores: coresByColumn(width, 1, (x) => [broadcastInstruction(x, width, wavelets, 0, toward, 0)]),
        code: broadcastCode(values?.at.words ?? 0),
      },
      values,
    );
  },
};
