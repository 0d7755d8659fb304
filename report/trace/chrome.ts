// A timeline in the Trace Event Format of Chrome, which Perfetto, speedscope and others read. Its times are microseconds; a cycle
// is a nanosecond, so times have three decimals.

import { inputError } from '../../emulator/errors.ts';
import { eventsOf, groupsOf, joined, type Timeline, type Written } from './timeline.ts';

const CYCLES_A_MICROSECOND = 1000;
const HEAD = '{"displayTimeUnit":"ns","traceEvents":[\n';
const TAIL = '\n]}\n';

const texts = new TextEncoder();

/** As much of it, from the start, as has room in `mostBytes`. */
export function chromeTrace(timeline: Timeline, mostBytes: number): Written {
  const chunks: Uint8Array[] = [texts.encode(HEAD)];
  let size = HEAD.length + TAIL.length;
  const add = (event: object): boolean => {
    const bytes = texts.encode(`${chunks.length === 1 ? '' : ',\n'}${JSON.stringify(event)}`);
    if (size + bytes.length > mostBytes) return false;
    chunks.push(bytes);
    size += bytes.length;
    return true;
  };
  const close = (cutAt: number | null): Written => ({ bytes: joined([...chunks, texts.encode(TAIL)]), cutAt });
  // A process a group; threads are numbered from 1 within all of them.
  const pids = new Int32Array(timeline.tracks.length);
  let pid = 0;
  let isWhole = true;
  for (const [group, tracks] of groupsOf(timeline)) {
    pid++;
    isWhole &&= add({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name: group } });
    for (const track of tracks) {
      pids[track] = pid;
      const { name, kind } = timeline.tracks[track];
      if (kind === 'slices') isWhole &&= add({ ph: 'M', name: 'thread_name', pid, tid: track + 1, args: { name } });
    }
  }
  if (!isWhole)
    throw inputError(
      `--max-mb: the names of ${timeline.tracks.length} tracks alone are larger; take more, or fewer PEs`,
    );
  for (const event of eventsOf(timeline)) {
    const ts = event.at / CYCLES_A_MICROSECOND;
    if (event.kind === 'begin') {
      const { track, name, until, from, details } = event.slice;
      const dur = (until - from) / CYCLES_A_MICROSECOND;
      if (!add({ ph: 'X', name, ts, dur, pid: pids[track], tid: track + 1, args: details })) return close(event.at);
    } else if (event.kind === 'count') {
      const { track, value } = event.count;
      const { name } = timeline.tracks[track];
      if (!add({ ph: 'C', name, ts, pid: pids[track], tid: 0, args: { wavelets: value } })) return close(event.at);
    }
  }
  return close(null);
}
