// What a kernel is: the work of a rectangle of PEs between two barriers. `program` gives its routes and PE code, which
// the stepped engine runs as it stands; timing at full size takes the smallest rectangle that shows all there is to see
// and says how the rest of the wafer follows from it.

import type { Machine } from '../emulator/machine/spec.ts';
import type { FabricProgram } from '../emulator/program/fabric.ts';

/** Memory of a run that carries values: the bank of all PEs, PE by PE, `words` 32-bit words each. */
export interface ValueMemory {
  readonly words: number;
  readonly memory: Float32Array;
}

/**
 * How rows relate. `same`: rows (or rectangles of rows) share nothing, so each does what the representative does.
 * `shifted`: the rows share streams that enter at the top, row r doing r cycles later what row 0 does; exact because
 * every thread begins by waiting for the stream, and a router's S port is never the slower one.
 */
export type Rows = 'same' | 'shifted';

/**
 * `Values` is what a run with values adds to a shape: the memory, the word offsets `at` which a PE's operands start in
 * it, and the payload of the streams. A timing run needs none of it and takes the same cycles.
 */
export interface Kernel<Shape, Values extends ValueMemory = ValueMemory> {
  /** The program for `shape`; with `values`, its PE code moves real numbers in that memory. */
  program(shape: Shape, machine: Machine, values?: Values): FabricProgram;
  readonly rows: Rows;
}
