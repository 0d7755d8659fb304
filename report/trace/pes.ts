// PEs that were watched as tracks: what the cycles of each went to, what each of its threads did, and the wavelets in its buffers.

import { CAUSE, CAUSES } from '../../emulator/program/causes.ts';
import { PORT_NAMES } from '../../emulator/program/fabric.ts';
import type { BufferRecording, CoreRun } from '../../emulator/stepped/recording.ts';
import type { PeView } from '../../run/watched.ts';
import type { Count, Slice, Timeline, Track } from './timeline.ts';

/** Some PEs in a stretch of a run: a kernel that begins in cycle `at` of the run, or what lies between two. */
export interface Stretch {
  readonly at: number;
  readonly kernel: string;
  /** Where there is a model. */
  readonly operator?: string;
  readonly pes: readonly PeView[];
}

/** What wave viewers show of causes. */
export const CAUSE_LEGEND: readonly string[] = [
  `cause: ${CAUSES.map((cause, i) => `${i} ${cause}`).join(', ')}`,
  'thread: the place of its instruction; router, in and out: wavelets as the cycle begins',
];

export function peTimeline(name: string, stretches: readonly Stretch[]): Timeline {
  const places = new Map<string, number>();
  const tracks: Track[] = [];
  const slices: Slice[] = [];
  const counts: Count[] = [];
  const trackOf = (group: string, track: string, kind: Track['kind']): number => {
    const key = `${group}\n${track}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, tracks.length);
    return tracks.push({ name: track, kind, group }) - 1;
  };
  for (const { at, kernel, operator, pes } of stretches)
    for (const { x, y, core, buffers } of pes) {
      const group = `PE ${x},${y}`;
      const causes = trackOf(group, 'cause', 'slices');
      for (const { from, until, cause } of byCause(core))
        slices.push({
          track: causes,
          from: at + from,
          until: at + until,
          name: CAUSES[cause],
          value: cause,
          details: operator === undefined ? { kernel } : { operator, kernel },
        });
      const slots = core.filter(({ thread, cause }) => thread >= 0 && cause <= CAUSE.reduce);
      for (const thread of [...new Set(slots.map((run) => run.thread))].sort((a, b) => a - b))
        trackOf(group, `thread ${thread}`, 'slices');
      for (const run of slots)
        slices.push({
          track: trackOf(group, `thread ${run.thread}`, 'slices'),
          from: at + run.from,
          until: at + run.until,
          name: CAUSES[run.cause],
          value: run.instruction,
          details: detailsOf(run),
        });
      for (const buffer of buffers) {
        const track = trackOf(group, bufferName(buffer), 'counter');
        let last = -1;
        for (const { from, depth } of buffer.runs) {
          if (depth !== last) counts.push({ track, from: at + from, value: depth });
          last = depth;
        }
      }
    }
  return { name, tracks, slices, counts };
}

/** Stretches of one cause, whatever instructions they are of. */
function byCause(core: readonly CoreRun[]): { from: number; until: number; cause: number }[] {
  const stretches: { from: number; until: number; cause: number }[] = [];
  for (const { from, until, cause } of core) {
    const last = stretches.at(-1);
    if (last?.cause === cause && last.until === from) last.until = until;
    else stretches.push({ from, until, cause });
  }
  return stretches;
}

function detailsOf({ instruction, item, slot }: CoreRun): Slice['details'] {
  return { instruction, item, slot };
}

function bufferName({ color, kind, port }: BufferRecording): string {
  return `color ${color} ${{ input: 'in', output: 'out', router: `router ${PORT_NAMES[port]}` }[kind]}`;
}

/** The tracks of one after those of the other. */
export function together(a: Timeline, b: Timeline): Timeline {
  const moved = <On extends { track: number }>(on: On): On => ({ ...on, track: on.track + a.tracks.length });
  return {
    name: a.name,
    tracks: [...a.tracks, ...b.tracks],
    slices: [...a.slices, ...b.slices.map(moved)],
    counts: [...a.counts, ...b.counts.map(moved)],
  };
}
