// A rectangle of PEs whose memory goes from kernel to kernel: each kernel starts with what the last one left, and the
// cycles of each are kept. Every kernel runs in the stepped engine.

import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import type { ValueMemory } from '../kernel.ts';

export interface MeshStep {
  readonly name: string;
  /** Name of its program. */
  readonly kernel: string;
  readonly cycles: number;
}

export class MeshRun {
  readonly machine: Machine;
  readonly rows: number;
  readonly cols: number;
  /** Words of a PE. */
  readonly words: number;
  readonly steps: MeshStep[] = [];
  memory: Float32Array;

  constructor(machine: Machine, rows: number, cols: number, words: number) {
    this.machine = machine;
    this.rows = rows;
    this.cols = cols;
    this.words = words;
    this.memory = new Float32Array(rows * cols * words);
  }

  /** Runs the program that `build` makes with the memory as it stands. */
  run(name: string, build: (memory: ValueMemory) => FabricProgram): void {
    const program = build({ words: this.words, memory: this.memory });
    const { cycles, memory } = runStepped(program, latenciesOf(this.machine));
    this.memory = memory;
    this.steps.push({ name, kernel: program.name, cycles });
  }

  /** Word `at` of PE (x, y). */
  read(x: number, y: number, at: number): number {
    return this.memory[(y * this.cols + x) * this.words + at];
  }
}

/** Gives `sizes` words each, one after the other: the first word of each, and how many in all. */
export function layWords<Name extends string>(
  sizes: Record<Name, number>,
): { at: Record<Name, number>; words: number } {
  const at = { ...sizes };
  let words = 0;
  for (const name in sizes) {
    at[name] = words;
    words += sizes[name];
  }
  return { at, words };
}
