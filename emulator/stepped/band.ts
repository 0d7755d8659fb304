// One band of a mesh that is cut into bands (cut.ts), cycle by cycle. It sends into images of the pipes that lead out and
// takes from the pipes that lead in; when all bands have done a cycle, each repeats on its side what the others did.
//
// This is exact because what is sent in a cycle cannot be taken in it, and a credit that comes back cannot be used in
// it: no part of a band could see in a cycle what the mail of that cycle holds.

import { stepCores, type ThreadState } from './cores.ts';
import type { BandPlan } from './cut.ts';
import * as layout from './layout.ts';
import type { State } from './load.ts';
import { PipeBank } from './pipes.ts';
import { stepRouters } from './routers.ts';
import { startStreams, stepStreams, type StreamState } from './streams.ts';

const { CONTROL, HEAD, PAYLOAD, PUSHED, TAIL, TIME } = layout;
const { MAIL_CONTROL, MAIL_PAYLOAD, MAIL_READY, MAIL_SENT, MAIL_TAKEN, MAIL_WORDS } = layout;

/** Which parts of a cycle are being visited: of two broken laws the one that a single thread would meet first is said. */
export const PHASE = { routers: 0, streams: 1, cores: 2 } as const;

export class Band {
  readonly plan: BandPlan;
  readonly state: State;
  readonly threads: ThreadState;
  readonly streams: StreamState;
  phase: number = PHASE.routers;
  /** Crossings that it sends into and that it takes from, and the entries at their ends when the cycle began. */
  private readonly out: Int32Array;
  private readonly tails: Int32Array;
  private readonly into: Int32Array;
  private readonly heads: Int32Array;

  constructor(plan: BandPlan) {
    const { index, crossings, threads } = plan;
    const numbers = Int32Array.from(crossings.pipe.keys());
    this.plan = plan;
    // The methods of a bank do not cross to another thread.
    this.state = { ...plan.state, pipes: new PipeBank(plan.state.pipes) };
    this.threads = { ...threads };
    this.streams = startStreams(plan.state.program.streams);
    this.out = numbers.filter((i) => crossings.sender[i] === index);
    this.into = numbers.filter((i) => crossings.taker[i] === index);
    this.tails = new Int32Array(this.out.length);
    this.heads = new Int32Array(this.into.length);
  }

  /** One cycle of the band's routers, streams and cores; returns the number of moves. The mail goes into box `box`, 0 or 1. */
  step(t: number, box: number): number {
    const { state, threads, streams, out, into, heads, tails } = this;
    const { pipe, image } = this.plan.crossings;
    const { words } = state.pipes;
    for (let i = 0; i < out.length; i++) tails[i] = words[image[out[i]] + TAIL];
    for (let i = 0; i < into.length; i++) heads[i] = words[pipe[into[i]] + HEAD];
    this.phase = PHASE.routers;
    let moves = stepRouters(state, t);
    this.phase = PHASE.streams;
    moves += stepStreams(state, streams, t);
    this.phase = PHASE.cores;
    moves += stepCores(state, threads, t);
    if (moves > 0) this.post(t, box);
    return moves;
  }

  private post(t: number, box: number): void {
    const { out, into, heads, tails } = this;
    const { image, mail } = this.plan.crossings;
    const { words, creditLatency } = this.state.pipes;
    for (let i = 0; i < out.length; i++) {
      if (words[image[out[i]] + PUSHED] !== t) continue;
      const at = (2 * out[i] + box) * MAIL_WORDS;
      mail[at + MAIL_READY] = words[tails[i] + TIME];
      mail[at + MAIL_PAYLOAD] = words[tails[i] + PAYLOAD];
      mail[at + MAIL_CONTROL] = words[tails[i] + CONTROL];
      mail[at + MAIL_SENT] = t;
    }
    // An entry at the head has no credit time, or an earlier one, unless it was taken in this very cycle.
    for (let i = 0; i < into.length; i++)
      if (words[heads[i] + TIME] === t + creditLatency) mail[(2 * into[i] + box) * MAIL_WORDS + MAIL_TAKEN] = t;
  }

  /** Repeats what the other bands did in cycle t with the pipes that cross. All have stepped it. */
  receive(t: number, box: number): void {
    const { out, into } = this;
    const { pipe, image, mail } = this.plan.crossings;
    const { pipes } = this.state;
    for (let i = 0; i < into.length; i++) {
      const at = (2 * into[i] + box) * MAIL_WORDS;
      if (mail[at + MAIL_SENT] !== t) continue;
      pipes.push(pipe[into[i]], t, mail[at + MAIL_READY], mail[at + MAIL_PAYLOAD], mail[at + MAIL_CONTROL]);
    }
    for (let i = 0; i < out.length; i++)
      if (mail[(2 * out[i] + box) * MAIL_WORDS + MAIL_TAKEN] === t) pipes.pop(image[out[i]], t);
  }
}
