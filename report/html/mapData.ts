// The counts of all PEs as the page carries them. Operators with the same counts, as those of many layers, share them. Counts
// go cause by cause along columns or rows, each as its difference from the one before, as a number of seven bits a byte
// (differences below 0 as odd numbers), deflated, in base64: some hundred thousand bytes for a wafer of 745,500 PEs.

import { deflateRawSync } from 'node:zlib';
import { CAUSE_COUNT } from '../../emulator/program/causes.ts';
import type { OperatorMap } from '../../run/waferMap.ts';

export interface MapData {
  /** Numbers in each profile; CAUSE_COUNT a column or row. */
  readonly lengths: readonly number[];
  /** All profiles one after the other. */
  readonly counts: string;
  readonly operators: readonly MapOperator[];
}

export interface MapOperator {
  readonly name: string;
  readonly cycles: number;
  /** Index of a profile. */
  readonly columns: number;
  /** Width in columns of a group, and index of a profile. */
  readonly rows: readonly (readonly [width: number, profile: number])[];
}

export function mapData(map: readonly OperatorMap[]): MapData {
  const known = new Map<string, number>();
  const lengths: number[] = [];
  const bytes: number[] = [];
  const profileOf = (counts: Float64Array): number => {
    const key = counts.join();
    const before = known.get(key);
    if (before !== undefined) return before;
    const index = known.size;
    known.set(key, index);
    lengths.push(counts.length);
    pushDifferences(bytes, counts);
    return index;
  };
  const operators = map.map(({ name, cycles, columns, rows }) => ({
    name,
    cycles,
    columns: profileOf(columns),
    rows: rows.map(({ width, counts }) => [width, profileOf(counts)] as const),
  }));
  return { lengths, counts: deflateRawSync(Uint8Array.from(bytes), { level: 9 }).toString('base64'), operators };
}

function pushDifferences(bytes: number[], counts: Float64Array): void {
  for (let c = 0; c < CAUSE_COUNT; c++) {
    let before = 0;
    for (let i = c; i < counts.length; i += CAUSE_COUNT) {
      const difference = counts[i] - before;
      before = counts[i];
      pushNumber(bytes, difference < 0 ? -2 * difference - 1 : 2 * difference);
    }
  }
}

/** Not by bits: counts go beyond 32 of them. */
function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push(128 + (rest % 128));
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
