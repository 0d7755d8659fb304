// Where the arrays of a row lie: each on its own for the TypeScript engine, or side by side in the memory of its
// WebAssembly twin. The same code lays them out, counts their bytes, and makes them.

export interface Arena {
  readonly ints: (length: number) => Int32Array;
  readonly floats: (length: number) => Float64Array;
  readonly flags: (length: number) => Uint8Array;
  readonly counts: (length: number) => Uint16Array;
  /** Counts that are all written before any is read: in the memory of the twin, whatever was there. */
  readonly rawCounts: (length: number) => Uint16Array;
}

/** Arrays of their own. */
export const plainArena: Arena = {
  ints: (length) => new Int32Array(length),
  floats: (length) => new Float64Array(length),
  flags: (length) => new Uint8Array(length),
  counts: (length) => new Uint16Array(length),
  rawCounts: (length) => new Uint16Array(length),
};

/** Every array begins at a multiple of this, for vector loads. */
const ALIGNMENT = 16;

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of the arrays that `lay` asks for. */
export function arenaBytes(lay: (arena: Arena) => void): number {
  let bytes = 0;
  const add = (length: number, size: number): void => {
    bytes += aligned(length * size);
  };
  const [ints, floats, flags, counts] = [new Int32Array(), new Float64Array(), new Uint8Array(), new Uint16Array()];
  lay({
    ints: (length) => (add(length, 4), ints),
    floats: (length) => (add(length, 8), floats),
    flags: (length) => (add(length, 1), flags),
    counts: (length) => (add(length, 2), counts),
    rawCounts: (length) => (add(length, 2), counts),
  });
  return bytes;
}

/** Arrays one after the other in `buffer`, from `from` on, all zero but those that need not be. */
export function arenaIn(buffer: ArrayBuffer, from: number): Arena {
  let at = from;
  const passed = (bytes: number): number => {
    const here = at;
    at += aligned(bytes);
    return here;
  };
  const take = (bytes: number): number => {
    const here = passed(bytes);
    new Uint8Array(buffer, here, bytes).fill(0);
    return here;
  };
  return {
    ints: (length) => new Int32Array(buffer, take(length * 4), length),
    floats: (length) => new Float64Array(buffer, take(length * 8), length),
    flags: (length) => new Uint8Array(buffer, take(length), length),
    counts: (length) => new Uint16Array(buffer, take(length * 2), length),
    rawCounts: (length) => new Uint16Array(buffer, passed(length * 2), length),
  };
}
