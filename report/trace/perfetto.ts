// A timeline as a trace of Perfetto (https://ui.perfetto.dev), a cycle being a nanosecond. Field numbers are those of its
// published schema: protos/perfetto/trace/trace_packet.proto and track_event/{track_event,track_descriptor,debug_annotation}.proto.

import { inputError } from '../../emulator/errors.ts';
import { Message } from './protobuf.ts';
import { type Event, eventsOf, groupsOf, joined, type Slice, type Timeline, type Written } from './timeline.ts';

const TRACE_PACKET = 1;
const PACKET = { timestamp: 8, sequence: 10, event: 11, sequenceFlags: 13, descriptor: 60 } as const;
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, parent: 5, counter: 8 } as const;
const PROCESS = { pid: 1, name: 6 } as const;
const EVENT = { annotation: 4, type: 9, track: 11, name: 23, value: 30 } as const;
const ANNOTATION = { number: 4, text: 6, name: 10 } as const;
const TYPE = { begin: 1, end: 2, counter: 4 } as const;

/** All packets are of one sequence, whose state begins with the first. */
const SEQUENCE = 1;
const STATE_CLEARED = 1;

/** A track's number in the trace; groups follow the tracks. */
const uuidOf = (track: number): number => track + 1;

/** More than the end of a slice takes. */
const END_BYTES = 40;

/** As much of it, from the start, as has room in `mostBytes`. */
export function perfettoTrace(timeline: Timeline, mostBytes: number): Written {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const add = (packet: Message): void => {
    const bytes = new Message().message(TRACE_PACKET, packet).written();
    chunks.push(bytes);
    size += bytes.length;
  };
  let pid = timeline.tracks.length;
  for (const [group, tracks] of groupsOf(timeline)) {
    const uuid = uuidOf(pid++);
    const process = new Message().number(PROCESS.pid, uuid).text(PROCESS.name, group);
    add(descriptorPacket(new Message().number(DESCRIPTOR.uuid, uuid).message(DESCRIPTOR.process, process), size === 0));
    for (const track of tracks) {
      const { name, kind } = timeline.tracks[track];
      const own = new Message().number(DESCRIPTOR.uuid, uuidOf(track)).text(DESCRIPTOR.name, name);
      own.number(DESCRIPTOR.parent, uuid);
      add(descriptorPacket(kind === 'counter' ? own.message(DESCRIPTOR.counter, new Message()) : own, false));
    }
  }
  if (size > mostBytes)
    throw inputError(
      `--max-mb: the names of ${timeline.tracks.length} tracks alone are larger; take more, or fewer PEs`,
    );
  const open = new Set<Slice>();
  for (const event of eventsOf(timeline)) {
    const packet = eventPacket(event);
    if (size + packet.length + (open.size + 1) * END_BYTES > mostBytes) {
      for (const slice of open) add(eventPacket({ at: event.at, kind: 'end', slice }));
      return { bytes: joined(chunks), cutAt: event.at };
    }
    add(packet);
    if (event.kind === 'begin') open.add(event.slice);
    if (event.kind === 'end') open.delete(event.slice);
  }
  return { bytes: joined(chunks), cutAt: null };
}

function descriptorPacket(descriptor: Message, isFirst: boolean): Message {
  const packet = new Message().message(PACKET.descriptor, descriptor).number(PACKET.sequence, SEQUENCE);
  return isFirst ? packet.number(PACKET.sequenceFlags, STATE_CLEARED) : packet;
}

function eventPacket(event: Event): Message {
  const own = new Message();
  if (event.kind === 'count') {
    const { track, value } = event.count;
    own.number(EVENT.type, TYPE.counter).number(EVENT.track, uuidOf(track)).number(EVENT.value, value);
  } else {
    const { track, name, details } = event.slice;
    own.number(EVENT.type, TYPE[event.kind]).number(EVENT.track, uuidOf(track));
    if (event.kind === 'begin') {
      own.text(EVENT.name, name);
      for (const [what, value] of Object.entries(details)) own.message(EVENT.annotation, annotation(what, value));
    }
  }
  return new Message().number(PACKET.timestamp, event.at).message(PACKET.event, own).number(PACKET.sequence, SEQUENCE);
}

function annotation(name: string, value: number | string): Message {
  const own = new Message().text(ANNOTATION.name, name);
  return typeof value === 'number' ? own.number(ANNOTATION.number, value) : own.text(ANNOTATION.text, value);
}
