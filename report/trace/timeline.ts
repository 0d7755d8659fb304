// A run over time, whatever the format it is written in: tracks in groups, slices and counters on them. Times are cycles; what
// lies on a track neither overlaps nor nests.

export interface Track {
  readonly name: string;
  readonly kind: 'slices' | 'counter';
  /** Of those of a PE, the PE. */
  readonly group: string;
}

export interface Slice {
  readonly track: number;
  readonly from: number;
  /** The first cycle after it. */
  readonly until: number;
  readonly name: string;
  /** What a wave viewer shows in place of the name. */
  readonly value: number;
  readonly details: Readonly<Record<string, number | string>>;
}

/** From this cycle on a counter has this value. */
export interface Count {
  readonly track: number;
  readonly from: number;
  readonly value: number;
}

export interface Timeline {
  readonly name: string;
  /** Those of a group stand together. */
  readonly tracks: readonly Track[];
  readonly slices: readonly Slice[];
  readonly counts: readonly Count[];
}

/** A document, and the cycle before which it was ended because it was full; null where it is whole. */
export interface Written {
  readonly bytes: Uint8Array;
  readonly cutAt: number | null;
}

export type Event =
  | { readonly at: number; readonly kind: 'end' | 'begin'; readonly slice: Slice }
  | { readonly at: number; readonly kind: 'count'; readonly count: Count };

const ORDER = { end: 0, begin: 1, count: 2 } as const;

/** All that happens, by time; on each track what ends goes before what begins. */
export function eventsOf({ slices, counts }: Timeline): Event[] {
  const events: Event[] = counts.map((count) => ({ at: count.from, kind: 'count', count }));
  for (const slice of slices) {
    events.push({ at: slice.from, kind: 'begin', slice });
    events.push({ at: slice.until, kind: 'end', slice });
  }
  return events.sort((a, b) => a.at - b.at || ORDER[a.kind] - ORDER[b.kind]);
}

/** Groups in order, each with the numbers of its tracks. */
export function groupsOf({ tracks }: Timeline): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  tracks.forEach(({ group }, i) => {
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [i]);
    else known.push(i);
  });
  return groups;
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
