// What runs on a rectangle of PEs: static routes, threads of instructions, and the streams that enter at the edge. A
// program is plain data and says everything the machine needs; docs/machine.md says what the machine does with it.

/** Router ports: the four neighbours and the ramp to the core. */
export const PORT = { N: 0, E: 1, S: 2, W: 3, R: 4 } as const;
export type Port = (typeof PORT)[keyof typeof PORT];

export const PORT_NAMES = ['N', 'E', 'S', 'W', 'R'] as const;

/** The static route of one color at one router: one port it comes from, one or more ports it leaves by. */
export interface Route {
  readonly x: number;
  readonly y: number;
  readonly color: number;
  readonly from: Port;
  readonly to: readonly Port[];
}

/**
 * Wavelets that enter at an outer port of an edge router. Wavelet k may enter at cycle ceil(k * gap) or later, with
 * gap = gapNumerator / gapDenominator >= 1.
 */
export interface Stream {
  readonly x: number;
  readonly y: number;
  readonly port: Port;
  readonly color: number;
  readonly gapNumerator: number;
  readonly gapDenominator: number;
  /** One entry a wavelet: 1 where its control bit is set. */
  readonly control: Uint8Array;
  /** One entry a wavelet: its 32 bits; absent where only time matters. */
  readonly payload?: Int32Array;
}

/**
 * PE code behind an instruction, for runs that carry values. Slot-wise where the instruction has a fabric operand for
 * each slot (called once a slot, returns what is sent), item-wise otherwise (called once an item, with the wavelet that
 * triggered it). `memory` is the whole bank; the PE's own words start at `base`.
 */
export type PeCode = (memory: Float32Array, base: number, args: PeArguments, payload: number) => number;

export interface PeArguments {
  /** The instruction's three operands. */
  a: number;
  b: number;
  c: number;
  /** Item within the instruction and slot within the item, both from 0; slots of overhead are not counted. */
  item: number;
  slot: number;
}

/** The threads of one core, highest priority first; the last one is the main thread. Code is shared between cores. */
export interface CoreProgram {
  readonly threads: readonly Int32Array[];
}

export interface FabricProgram {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly routes: readonly Route[];
  readonly streams: readonly Stream[];
  /** One entry a PE, index y * width + x. */
  readonly cores: readonly CoreProgram[];
  /** Semaphores a core has; all start at 0. */
  readonly semaphores: number;
  /** Colors whose absence is `waitWeights` (they come from the edge); any other is `waitPartial`. */
  readonly edgeColors: readonly number[];
  readonly code: readonly PeCode[];
  /** 32-bit words of memory a PE uses; 0 where only time matters. */
  readonly memoryWords: number;
  /** Initial memory, PE by PE; absent where only time matters. */
  readonly memory?: Float32Array;
}
