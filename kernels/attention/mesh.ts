// The rectangle of an attention kernel: groups of columns that hold a head (or whole heads) side by side, each a ring of
// its columns, on every row. Columns beyond the groups do nothing.

import type { CoreProgram, Route } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import { ringRoutes } from '../../emulator/program/ring.ts';
import { positionOf } from './layout.ts';

export interface HeadMesh {
  readonly rows: number;
  readonly cols: number;
  readonly groups: number;
  readonly headCols: number;
}

/** Colors of the ring of a head's columns start here. */
export const HEAD_RING = 0;

export function headRoutes({ rows, groups, headCols }: HeadMesh): Route[] {
  const routes: Route[] = [];
  for (let y = 0; y < rows; y++)
    for (let g = 0; g < groups; g++) routes.push(...ringRoutes(headCols, g * headCols, y, HEAD_RING, 'row'));
  return routes;
}

/** Ring position p of each head does the same on all rows. */
export function headCores(mesh: HeadMesh, position: (p: number) => Iterable<Instruction>): CoreProgram[] {
  const cores = Array.from({ length: mesh.headCols }, (_, p) => ({ threads: [thread(position(p))] }));
  return placeCores(mesh, (p) => cores[p]);
}

const idle: CoreProgram = { threads: [thread([])] };

/** One core a PE, by ring position within its head and by row. */
export function placeCores(
  { rows, cols, groups, headCols }: HeadMesh,
  coreOf: (p: number, y: number) => CoreProgram,
): CoreProgram[] {
  return Array.from({ length: rows * cols }, (_, i) => {
    const x = i % cols;
    return x < groups * headCols ? coreOf(positionOf(x % headCols, headCols), Math.floor(i / cols)) : idle;
  });
}
