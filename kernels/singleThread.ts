// The frame of a kernel whose cores run one thread each and meet in nothing but wavelets. Such a program computes the
// same whatever the speed of its parts, so each slot's time is a longest path, which is what the fast engines use.

import type { CoreProgram, FabricProgram, PeCode, Route, Stream } from '../emulator/program/fabric.ts';
import { type Instruction, thread } from '../emulator/program/instruction.ts';
import type { ValueMemory } from './kernel.ts';

export interface SingleThreadParts {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly routes?: readonly Route[];
  readonly streams?: readonly Stream[];
  readonly edgeColors?: readonly number[];
  readonly cores: readonly CoreProgram[];
  /** Used only with values. */
  readonly code: readonly PeCode[];
}

/** Cores of a rectangle in which column x does the same on every row. */
export function coresByColumn(
  width: number,
  height: number,
  column: (x: number) => Iterable<Instruction>,
): CoreProgram[] {
  const cores = Array.from({ length: width }, (_, x) => ({ threads: [thread(column(x))] }));
  return Array.from({ length: width * height }, (_, i) => cores[i % width]);
}

/** Cores of a rectangle in which row y does the same on every column. */
export function coresByRow(width: number, height: number, row: (y: number) => Iterable<Instruction>): CoreProgram[] {
  const cores = Array.from({ length: height }, (_, y) => ({ threads: [thread(row(y))] }));
  return Array.from({ length: width * height }, (_, i) => cores[Math.floor(i / width)]);
}

export function singleThreadProgram(parts: SingleThreadParts, values?: ValueMemory): FabricProgram {
  const { routes = [], streams = [], edgeColors = [], code, ...rest } = parts;
  return {
    ...rest,
    routes,
    streams,
    edgeColors,
    semaphores: 0,
    code: values === undefined ? [] : code,
    memoryWords: values === undefined ? 0 : values.words,
    ...(values === undefined ? {} : { memory: values.memory }),
  };
}
