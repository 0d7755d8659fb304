// A bank of bounded buffers with credits: router buffers, core input queues and core output queues are all such pipes.
// An entry carries the cycle from which it can be taken; a freed entry carries the cycle from which its credit is back
// with the sender. So a push and a pop of one cycle cannot see each other, whatever the order of visiting.
//
// Layout: one Int32Array; a pipe is named by the index `p` of its record, a header and then its entries. Neighbouring
// words are used together, which is what a mesh larger than the cache needs.
//
// Parts that can do nothing sleep. `wake[part]` is the cycle in which a part must next be looked at; a push brings
// forward that of the pipe's consumer, a pop that of its producer.

import * as layout from './layout.ts';

const { CONSUMER, CONTROL, ENTRY_WORDS, HEAD, HEAD_READY, HEADER_WORDS, NEVER, NEXT } = layout;
const { PAYLOAD, PRODUCER, PUSHED, TAIL, TAIL_FREE, TIME } = layout;

export interface PipeSpec {
  readonly capacity: number;
  /** The parts that take from it and that send into it. */
  readonly consumer: number;
  readonly producer: number;
}

/** Words that a pipe of `capacity` entries takes. */
export function pipeWords(capacity: number): number {
  return HEADER_WORDS + capacity * ENTRY_WORDS;
}

export interface PipeBanks {
  readonly words: Int32Array;
  readonly wake: Int32Array;
  /** Record index of each pipe. */
  readonly pipes: Int32Array;
  readonly creditLatency: number;
}

/** The banks of empty pipes, whose records lie in the order of `specs`. */
export function pipeBanks(specs: readonly PipeSpec[], creditLatency: number, parts: number): PipeBanks {
  const words = new Int32Array(specs.reduce((sum, { capacity }) => sum + pipeWords(capacity), 0));
  const pipes = new Int32Array(specs.length);
  let at = 0;
  specs.forEach((spec, i) => {
    pipes[i] = at;
    writeEmpty(words, at, spec);
    at += pipeWords(spec.capacity);
  });
  return { words, wake: new Int32Array(parts), pipes, creditLatency };
}

/** Writes the record of an empty pipe at p. */
export function writeEmpty(words: Int32Array, p: number, { capacity, consumer, producer }: PipeSpec): void {
  const first = p + HEADER_WORDS;
  words.set([NEVER, 0, -1, first, first, consumer, producer], p);
  for (let k = 0; k < capacity; k++) words[first + k * ENTRY_WORDS + NEXT] = first + ((k + 1) % capacity) * ENTRY_WORDS;
}

export class PipeBank implements PipeBanks {
  readonly words: Int32Array;
  readonly wake: Int32Array;
  readonly pipes: Int32Array;
  readonly creditLatency: number;

  constructor({ words, wake, pipes, creditLatency }: PipeBanks) {
    this.words = words;
    this.wake = wake;
    this.pipes = pipes;
    this.creditLatency = creditLatency;
  }

  /** Sends in cycle t what can be taken from `readyAt` on. The caller has seen `TAIL_FREE <= t`. */
  push(p: number, t: number, readyAt: number, payload: number, control: number): void {
    const { words, wake } = this;
    const at = words[p + TAIL];
    words[at + TIME] = readyAt;
    words[at + PAYLOAD] = payload;
    words[at + CONTROL] = control;
    words[p + PUSHED] = t;
    const next = words[at + NEXT];
    words[p + TAIL] = next;
    if (words[p + HEAD_READY] === NEVER) {
      words[p + HEAD_READY] = readyAt;
      const part = words[p + CONSUMER];
      if (wake[part] > readyAt) wake[part] = readyAt;
    }
    words[p + TAIL_FREE] = next === words[p + HEAD] ? NEVER : words[next + TIME];
  }

  /** Takes the head entry in cycle t; returns its index. The caller has seen `HEAD_READY <= t`. */
  pop(p: number, t: number): number {
    const { words, wake } = this;
    const at = words[p + HEAD];
    const creditAt = t + this.creditLatency;
    words[at + TIME] = creditAt;
    const next = words[at + NEXT];
    words[p + HEAD] = next;
    words[p + HEAD_READY] = next === words[p + TAIL] ? NEVER : words[next + TIME];
    if (words[p + TAIL_FREE] === NEVER) {
      words[p + TAIL_FREE] = creditAt;
      const part = words[p + PRODUCER];
      if (wake[part] > creditAt) wake[part] = creditAt;
    }
    return at;
  }
}
