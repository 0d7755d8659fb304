// A block of each PE goes to the next position of its ring. Rings lie along rows or down columns, any number side by
// side; a slot sends or receives one wavelet.
//
// Memory of a PE, in 32-bit words: source and destination [words] in fp16, two a wavelet; the destination becomes the
// source of the position before.

import { highHalf, lowHalf, packPair } from '../emulator/numerics/fp16.ts';
import type { CoreProgram, PeCode, Route } from '../emulator/program/fabric.ts';
import { type Instruction, thread } from '../emulator/program/instruction.ts';
import { columnOf, ringRoutes } from '../emulator/program/ring.ts';
import { burstLength, exchange, ringColors } from './bursts.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { singleThreadProgram } from './singleThread.ts';

export interface RingShiftShape {
  readonly kernel: 'ringShift';
  /** PEs of a ring. */
  readonly size: number;
  readonly along: 'row' | 'column';
  readonly wavelets: number;
  /** Rings side by side, in either direction. */
  readonly ringsX: number;
  readonly ringsY: number;
}

export interface RingShiftValues extends ValueMemory {
  readonly at: { readonly source: number; readonly destination: number };
  /** Values of a block, two a wavelet. */
  readonly count: number;
}

const SEND = 0;
const RECEIVE = 1;

export const ringShift: Kernel<RingShiftShape, RingShiftValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { size, along, wavelets, ringsX, ringsY } = shape;
    const [width, height] = along === 'row' ? [ringsX * size, ringsY] : [ringsX, ringsY * size];
    const burst = burstLength(machine);
    const cores: CoreProgram[] = [];
    for (let p = 0; p < size; p++)
      cores[columnOf(p, size)] = { threads: [thread(positionThread(p, size, wavelets, burst))] };
    return singleThreadProgram(
      {
        name: 'ringShift',
        width,
        height,
        routes: shiftRoutes(shape),
        cores: Array.from(
          { length: width * height },
          (_, i) => cores[(along === 'row' ? i % width : Math.floor(i / width)) % size],
        ),
        code: values === undefined ? [] : peCode(values),
      },
      values,
    );
  },
};

function shiftRoutes({ size, along, ringsX, ringsY }: RingShiftShape): Route[] {
  const routes: Route[] = [];
  const [stepX, stepY] = along === 'row' ? [size, 1] : [1, size];
  for (let y = 0; y < ringsY; y++)
    for (let x = 0; x < ringsX; x++) routes.push(...ringRoutes(size, x * stepX, y * stepY, 0, along));
  return routes;
}

function positionThread(p: number, size: number, wavelets: number, burst: number): Iterable<Instruction> {
  if (size === 1) return [];
  return exchange({ wavelets, code: SEND }, { wavelets, code: RECEIVE }, wavelets, burst, ringColors(p, size, 0));
}

function peCode({ at, count }: RingShiftValues): PeCode[] {
  const send: PeCode = (memory, base, { a, slot }) => {
    const i = 2 * (a + slot);
    const from = base + at.source + i;
    return packPair(memory[from], i + 1 < count ? memory[from + 1] : 0);
  };
  const receive: PeCode = (memory, base, { a, slot }, wavelet) => {
    const i = 2 * (a + slot);
    const to = base + at.destination + i;
    memory[to] = lowHalf(wavelet);
    if (i + 1 < count) memory[to + 1] = highHalf(wavelet);
    return 0;
  };
  return [send, receive];
}
