// The cores, one cycle: each gives its one issue slot to the first thread, in order of priority, that can use it. A
// cycle without a slot is counted for what the main thread waits for or, once that is finished, the next one above it.

import * as causes from '../program/causes.ts';
import * as instruction from '../program/instruction.ts';
import { lawBroken } from './laws.ts';
import * as layout from './layout.ts';
import type { State } from './load.ts';
import { placeName } from './topology.ts';

const { CAUSE, CAUSE_COUNT } = causes;
const { AT_A, AT_B, AT_C, AT_CAUSE, AT_CODE, AT_CONTROL, AT_GIVE, AT_INPUT, AT_OUTPUT, AT_OVERHEAD } = instruction;
const { AT_REPEAT, AT_SLOTS, AT_TAKE, AT_TRIGGER, INSTRUCTION_WORDS, NONE } = instruction;
const { CONTROL, HEAD_READY, NEVER, PAYLOAD, PUSHED, TAIL_FREE } = layout;

/**
 * Where each thread stands. `run` slots can be issued before the thread next needs the fabric or a semaphore; `flow`
 * element slots need only their wavelet and their credit: those between the first slot of an item and its last.
 */
export interface ThreadState {
  readonly pe: Int32Array;
  readonly item: Int32Array;
  readonly slot: Int32Array;
  readonly run: Int32Array;
  readonly flow: Int32Array;
  readonly trigger: Int32Array;
  readonly input: Int32Array;
  readonly output: Int32Array;
  /** The wavelet that triggered the running item. */
  readonly payload: Int32Array;
  /** While a thread waits: the cycle before which what it waits for cannot be there. */
  readonly until: Int32Array;
  /** By PE: first cycle not yet counted, the thread whose slots count down (or NONE), else the cause of waiting. */
  readonly sleptFrom: Int32Array;
  readonly running: Int32Array;
  readonly cause: Int32Array;
  issued: number;
  unfinished: number;
}

export function startThreads({ cores, pes }: State): ThreadState {
  const threads = cores.pc.length;
  const pe = new Int32Array(threads);
  for (let i = 0; i < pes; i++) pe.fill(i, cores.firstThread[i], cores.firstThread[i + 1]);
  const bank = (): Int32Array => new Int32Array(threads);
  const state: ThreadState = {
    pe,
    item: bank(),
    slot: bank(),
    run: bank(),
    flow: bank(),
    trigger: bank(),
    input: bank(),
    output: bank(),
    payload: bank(),
    until: bank(),
    sleptFrom: new Int32Array(pes),
    running: new Int32Array(pes).fill(NONE),
    cause: new Int32Array(pes).fill(CAUSE.done),
    issued: 0,
    unfinished: 0,
  };
  for (let th = 0; th < threads; th++) if (cores.pc[th] < cores.end[th]) state.unfinished++;
  return state;
}

/** Binds the fabric operands of the instruction that a thread has come to. */
export function decode(state: State, threads: ThreadState, th: number): void {
  const { cores, colors } = state;
  const { instructions, inputOf, outputOf } = cores;
  const pc = cores.pc[th];
  const at = threads.pe[th] * colors;
  const trigger = instructions[pc + AT_TRIGGER];
  const input = instructions[pc + AT_INPUT];
  const output = instructions[pc + AT_OUTPUT];
  threads.item[th] = 0;
  threads.slot[th] = 0;
  threads.trigger[th] = trigger === NONE ? NONE : inputOf[at + trigger];
  threads.input[th] = input === NONE ? NONE : inputOf[at + input];
  threads.output[th] = output === NONE ? NONE : outputOf[at + output];
}

/** Can thread th issue in cycle t? NONE if so, else the cause of its waiting; `until` then says how long at least. */
function waitsFor(state: State, threads: ThreadState, th: number, t: number): number {
  const { cores, pipes, program } = state;
  const { instructions, waitOf } = cores;
  const pc = cores.pc[th];
  const slot = threads.slot[th];
  // A semaphore is given by a thread of this core: its next slot will look again.
  threads.until[th] = NEVER;
  if (slot === 0) {
    const take = instructions[pc + AT_TAKE];
    if (take !== NONE && threads.item[th] === 0 && cores.semaphore[threads.pe[th] * program.semaphores + take] === 0)
      return CAUSE.waitThread;
    const trigger = threads.trigger[th];
    if (trigger !== NONE && pipes.words[trigger + HEAD_READY] > t) {
      threads.until[th] = pipes.words[trigger + HEAD_READY];
      return waitOf[instructions[pc + AT_TRIGGER]];
    }
  }
  return slot >= instructions[pc + AT_OVERHEAD] ? elementWaitsFor(state, threads, th, t) : NONE;
}

/** The same for an element slot that is not the first of its item. */
function elementWaitsFor({ cores, pipes }: State, threads: ThreadState, th: number, t: number): number {
  const { words } = pipes;
  const input = threads.input[th];
  if (input !== NONE && words[input + HEAD_READY] > t) {
    threads.until[th] = words[input + HEAD_READY];
    return cores.waitOf[cores.instructions[cores.pc[th] + AT_INPUT]];
  }
  const output = threads.output[th];
  if (output !== NONE && words[output + TAIL_FREE] > t) {
    threads.until[th] = words[output + TAIL_FREE];
    return CAUSE.waitCredit;
  }
  return NONE;
}

const args = { a: 0, b: 0, c: 0, item: 0, slot: 0 };

/** Runs the PE code of the current slot; returns what it sends. */
function runCode(state: State, threads: ThreadState, th: number, payload: number): number {
  const { cores, program, memory } = state;
  const { instructions } = cores;
  const pc = cores.pc[th];
  const code = instructions[pc + AT_CODE];
  if (code === NONE) return 0;
  args.a = instructions[pc + AT_A];
  args.b = instructions[pc + AT_B];
  args.c = instructions[pc + AT_C];
  args.item = threads.item[th];
  args.slot = Math.max(0, threads.slot[th] - instructions[pc + AT_OVERHEAD]);
  return program.code[code](memory, threads.pe[th] * program.memoryWords, args, payload);
}

/** Takes and sends the wavelets of an element slot. */
function passElement(state: State, threads: ThreadState, th: number, t: number): void {
  const { pipes, memory, latencies } = state;
  const input = threads.input[th];
  const output = threads.output[th];
  const payload = input === NONE ? 0 : pipes.words[pipes.pop(input, t) + PAYLOAD];
  const sent = memory.length === 0 ? 0 : runCode(state, threads, th, payload);
  if (output === NONE) return;
  if (pipes.words[output + PUSHED] === t)
    throw lawBroken(state, 'link', `${placeName(state.program, threads.pe[th])} sends two wavelets in cycle ${t}`);
  pipes.push(output, t, t + latencies.resultLatency + latencies.rampLatency, sent, 0);
}

/** Issues a slot that takes a semaphore, a wavelet or a credit, or is the first or last of its item. */
function issue(state: State, threads: ThreadState, th: number, t: number): void {
  const { cores, pipes, program } = state;
  const { instructions, where } = cores;
  const pc = cores.pc[th];
  const pe = threads.pe[th];
  const overhead = instructions[pc + AT_OVERHEAD];
  const slots = instructions[pc + AT_SLOTS];
  const total = overhead + slots;
  const slot = threads.slot[th];
  threads.issued++;
  if (slot === 0) {
    where[pe * CAUSE_COUNT + CAUSE.overhead] += overhead;
    where[pe * CAUSE_COUNT + instructions[pc + AT_CAUSE]] += slots;
    const take = instructions[pc + AT_TAKE];
    if (take !== NONE && threads.item[th] === 0) cores.semaphore[pe * program.semaphores + take]--;
    const trigger = threads.trigger[th];
    if (trigger !== NONE) {
      const entry = pipes.pop(trigger, t);
      threads.payload[th] = pipes.words[entry + PAYLOAD];
      if (pipes.words[entry + CONTROL] !== instructions[pc + AT_CONTROL])
        throw lawBroken(
          state,
          'control',
          `${placeName(program, pe)} takes a wavelet of the wrong kind in cycle ${t}, of color ${instructions[pc + AT_TRIGGER]}`,
        );
    }
  }
  const perSlot = threads.input[th] !== NONE || threads.output[th] !== NONE;
  if (perSlot && slot >= overhead) passElement(state, threads, th, t);
  threads.slot[th] = slot + 1;
  if (slot + 1 < total) {
    // All but the last slot of a stretch without fabric operands need nothing: they are only counted down.
    if (!perSlot) {
      threads.run[th] = total - slot - 2;
      threads.slot[th] = total - 1;
    } else if (slot + 1 < overhead) {
      threads.run[th] = overhead - slot - 1;
      threads.slot[th] = overhead;
    } else threads.flow[th] = total - slot - 2;
    return;
  }
  if (!perSlot && state.memory.length > 0) runCode(state, threads, th, threads.payload[th]);
  endItem(state, threads, th);
}

/** Issues an element slot between the first slot of an item and its last. */
function flowOn(state: State, threads: ThreadState, th: number, t: number): void {
  threads.issued++;
  passElement(state, threads, th, t);
  threads.slot[th]++;
  threads.flow[th]--;
}

function endItem(state: State, threads: ThreadState, th: number): void {
  const { cores, program } = state;
  const { instructions } = cores;
  const pc = cores.pc[th];
  threads.slot[th] = 0;
  if (++threads.item[th] < instructions[pc + AT_REPEAT]) return;
  const give = instructions[pc + AT_GIVE];
  if (give !== NONE) cores.semaphore[threads.pe[th] * program.semaphores + give]++;
  cores.pc[th] = pc + INSTRUCTION_WORDS;
  if (cores.pc[th] < cores.end[th]) decode(state, threads, th);
  else threads.unfinished--;
}

/**
 * One cycle of all cores; returns the number of slots issued by cores that were awake. A core sleeps while no thread can issue, or while the
 * only one that can is counting down slots that need nothing; what it slept through is counted when it wakes.
 */
export function stepCores(state: State, threads: ThreadState, t: number): number {
  const { pes, firstPe, endPe, pipes } = state;
  const { wake } = pipes;
  const before = threads.issued;
  for (let pe = firstPe; pe < endPe; pe++)
    if (wake[pes + pe] <= t) {
      countSleep(state, threads, pe, t);
      wake[pes + pe] = stepCore(state, threads, pe, t);
    }
  return threads.issued - before;
}

/** Counts the cycles since `sleptFrom` up to t, not included. */
export function countSleep({ cores }: State, threads: ThreadState, pe: number, t: number): void {
  const slept = t - threads.sleptFrom[pe];
  if (slept === 0) return;
  const running = threads.running[pe];
  if (running === NONE) cores.where[pe * CAUSE_COUNT + threads.cause[pe]] += slept;
  else threads.run[running] -= slept;
  threads.sleptFrom[pe] = t;
}

/** Gives the slot of cycle t to a thread; returns the cycle in which the core must next be looked at. */
function stepCore(state: State, threads: ThreadState, pe: number, t: number): number {
  const { cores } = state;
  const { pc, end, firstThread } = cores;
  const { run, flow, until } = threads;
  const last = firstThread[pe + 1];
  let next = NEVER;
  let cause: number = CAUSE.done;
  threads.running[pe] = NONE;
  for (let th = firstThread[pe]; th < last; th++) {
    if (pc[th] === end[th]) continue;
    if (run[th] > 0) {
      threads.running[pe] = th;
      return Math.min(next, t + run[th]);
    }
    const flows = flow[th] > 0;
    const wait = flows ? elementWaitsFor(state, threads, th, t) : waitsFor(state, threads, th, t);
    if (wait === NONE) {
      if (flows) flowOn(state, threads, th, t);
      else issue(state, threads, th, t);
      threads.sleptFrom[pe] = t + 1;
      return t + 1;
    }
    cause = wait;
    if (until[th] < next) next = until[th];
  }
  threads.cause[pe] = cause;
  return next;
}
