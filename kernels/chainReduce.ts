// Sums over a row of PEs by a chain going east: the first column only sends, each next one adds its own to what arrives
// and sends on, the last one keeps. One wavelet a slot, one fp32 sum a wavelet.
//
// Memory of a PE, in 32-bit words: sums [wavelets], in fp32; the last column's become the totals.

import { packSingle, single } from '../emulator/numerics/fp16.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import { type PeCode, PORT, type Route } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface ChainReduceShape {
  readonly kernel: 'chainReduce';
  readonly width: number;
  readonly wavelets: number;
}

export interface ChainReduceValues extends ValueMemory {
  readonly at: { readonly sums: number };
}

/** A router knows one route for a color, so neighbours send on different ones. */
export const CHAIN_COLORS = 2;

export function chainRoutes(width: number, y: number, firstColor: number): Route[] {
  const routes: Route[] = [];
  for (let x = 0; x + 1 < width; x++) {
    const color = firstColor + (x & 1);
    routes.push({ x, y, color, from: PORT.R, to: [PORT.E] });
    routes.push({ x: x + 1, y, color, from: PORT.W, to: [PORT.R] });
  }
  return routes;
}

/** What column x does in a chain over `width` columns; its code is three entries from `firstCode` on: `chainCode`. */
export function chainInstruction(
  x: number,
  width: number,
  wavelets: number,
  firstColor: number,
  firstCode: number,
): Instruction {
  const receives = x > 0 ? { input: firstColor + ((x - 1) & 1) } : {};
  const sends = x + 1 < width ? { output: firstColor + (x & 1) } : {};
  const code = x === 0 ? firstCode + SEND : x + 1 < width ? firstCode + FORWARD : firstCode + KEEP;
  return { slots: width === 1 ? 0 : wavelets, cause: CAUSE.reduce, code, ...receives, ...sends };
}

const SEND = 0;
const FORWARD = 1;
const KEEP = 2;

/** Code of the first, a middle and the last column; wavelet i carries word `sums` + i. */
export function chainCode(sums: number): PeCode[] {
  const send: PeCode = (memory, base, { slot }) => packSingle(memory[base + sums + slot]);
  const forward: PeCode = (memory, base, { slot }, wavelet) =>
    packSingle(Math.fround(memory[base + sums + slot] + single(wavelet)));
  const keep: PeCode = (memory, base, { slot }, wavelet) => {
    memory[base + sums + slot] += single(wavelet);
    return 0;
  };
  return [send, forward, keep];
}

export const chainReduce: Kernel<ChainReduceShape, ChainReduceValues> = {
  rows: 'same',
  program({ width, wavelets }, _machine, values) {
    return singleThreadProgram(
      {
        name: 'chainReduce',
        width,
        height: 1,
        routes: chainRoutes(width, 0, 0),
        cores: coresByColumn(width, 1, (x) => [chainInstruction(x, width, wavelets, 0, 0)]),
        code: chainCode(values?.at.sums ?? 0),
      },
      values,
    );
  },
};
