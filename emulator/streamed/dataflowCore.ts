// A core with one thread, by time stamps: the cycle of a slot is the first after the last slot in which its wavelet is
// there and its credit too. What the core waits for in between is what the cycles go to: input first, then output.

import { CAUSE, CAUSE_COUNT } from '../program/causes.ts';
import * as instruction from '../program/instruction.ts';
import * as layout from '../stepped/layout.ts';
import type { Progress } from '../stepped/conservation.ts';
import type { State } from '../stepped/load.ts';

const { AT_CAUSE, AT_CONTROL, AT_INPUT, AT_OUTPUT, AT_OVERHEAD, AT_REPEAT, AT_SLOTS, AT_TRIGGER } = instruction;
const { INSTRUCTION_WORDS, NONE } = instruction;
const { CONTROL, HEAD_READY, NEVER, TAIL_FREE } = layout;

export interface CoreTimes {
  /** By PE: the cycle after its last slot, and where its thread stands. */
  readonly next: Int32Array;
  readonly item: Int32Array;
  readonly slot: Int32Array;
  /** Offset of the thread's instruction. */
  readonly pc: Int32Array;
  unfinished: number;
  /** Has a core taken a wavelet with the wrong control bit? */
  strayed: boolean;
}

export function coreTimes({ pes, cores }: State): CoreTimes {
  const pc = new Int32Array(pes).fill(NONE);
  let unfinished = 0;
  for (let pe = 0; pe < pes; pe++) {
    const th = cores.firstThread[pe];
    if (th === cores.firstThread[pe + 1] || cores.pc[th] === cores.end[th]) continue;
    pc[pe] = cores.pc[th];
    unfinished++;
  }
  return {
    next: new Int32Array(pes),
    item: new Int32Array(pes),
    slot: new Int32Array(pes),
    pc,
    unfinished,
    strayed: false,
  };
}

/** Where the threads stand; each core has one. */
export function progressOf({ cores }: State, { pc, item, slot }: CoreTimes): Progress {
  const coreOf = new Map(Array.from(pc.keys(), (pe) => [cores.firstThread[pe], pe]));
  return (th) => {
    const pe = coreOf.get(th) ?? NONE;
    if (pe === NONE || pc[pe] === NONE) return undefined;
    return { pc: pc[pe], items: item[pe], isBegun: slot[pe] > 0, elements: Math.max(0, slot[pe] - 1) };
  };
}

/** Issues all slots of a core whose times are known. */
export function advanceCore(state: State, times: CoreTimes, pe: number): void {
  const { pipes, cores, colors, latencies } = state;
  const { instructions, inputOf, outputOf, waitOf, where } = cores;
  const { words } = pipes;
  const counts = pe * CAUSE_COUNT;
  const sendDelay = latencies.resultLatency + latencies.rampLatency;
  const end = cores.end[cores.firstThread[pe]];
  let pc = times.pc[pe];
  let next = times.next[pe];
  while (pc !== NONE) {
    const overhead = instructions[pc + AT_OVERHEAD];
    const slots = instructions[pc + AT_SLOTS];
    const trigger = instructions[pc + AT_TRIGGER];
    const input = instructions[pc + AT_INPUT];
    const output = instructions[pc + AT_OUTPUT];
    const inputPipe = input === NONE ? NONE : inputOf[pe * colors + input];
    const outputPipe = output === NONE ? NONE : outputOf[pe * colors + output];
    const repeat = instructions[pc + AT_REPEAT];
    let item = times.item[pe];
    let slot = times.slot[pe];
    let known = true;
    while (item < repeat && known) {
      if (slot === 0) {
        // `slot` counts element slots; the overhead belongs to the first step of the item.
        if (trigger !== NONE) {
          const pipe = inputOf[pe * colors + trigger];
          const ready = words[pipe + HEAD_READY];
          if (ready === NEVER) {
            known = false;
            break;
          }
          if (ready > next) {
            where[counts + waitOf[trigger]] += ready - next;
            next = ready;
          }
          if (words[pipes.pop(pipe, next) + CONTROL] !== instructions[pc + AT_CONTROL]) times.strayed = true;
        }
        where[counts + CAUSE.overhead] += overhead;
        where[counts + instructions[pc + AT_CAUSE]] += slots;
        next += overhead;
        slot = 1;
      }
      if (input === NONE && output === NONE) next += slots;
      else {
        for (; slot <= slots; slot++) {
          const ready = inputPipe === NONE ? next : words[inputPipe + HEAD_READY];
          const free = outputPipe === NONE ? next : words[outputPipe + TAIL_FREE];
          if (ready === NEVER || free === NEVER) break;
          if (ready > next) {
            where[counts + waitOf[input]] += ready - next;
            next = ready;
          }
          if (free > next) {
            where[counts + CAUSE.waitCredit] += free - next;
            next = free;
          }
          if (inputPipe !== NONE) pipes.pop(inputPipe, next);
          if (outputPipe !== NONE) pipes.push(outputPipe, next, next + sendDelay, 0, 0);
          next++;
        }
        known = slot > slots;
      }
      if (known) {
        item++;
        slot = 0;
      }
    }
    times.item[pe] = item;
    times.slot[pe] = slot;
    if (item < repeat) break;
    times.item[pe] = 0;
    pc += INSTRUCTION_WORDS;
    if (pc === end) {
      pc = NONE;
      times.unfinished--;
    }
  }
  times.pc[pe] = pc;
  times.next[pe] = next;
}
