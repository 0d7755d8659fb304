// The cycle loop of a band, and what the bands of a run tell each other at the end of each cycle. The loop yields where
// all bands must have come before any goes on; who runs it decides how they wait for each other (meeting.ts).

import { EmulateError, type ExitCode, MOST_CYCLES, tooLong } from '../errors.ts';
import { type Law, LawError } from '../laws.ts';
import { Band } from './band.ts';
import { countSleep } from './cores.ts';
import type { BandPlan, Cut } from './cut.ts';
import { deadlock } from './deadlock.ts';
import { nextEvent, type SteppedRun } from './engine.ts';
import { assertLaws } from './laws.ts';
import { NEVER } from './layout.ts';
import { type Topology, topologyOf } from './topology.ts';

/** What a band writes on the board, box by box and band by band, each on a line of the cache of its own. */
const MOVES = 0;
const NEXT_EVENT = 1;
const UNFINISHED = 2;
const FAILED = 3;
const BOARD_WORDS = 16;

/** The board of a run: two boxes, because a band may be a cycle ahead of one that still reads. */
export function boardOf(bands: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(2 * bands * BOARD_WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** How a band ended: like all others, or by an error of its own. */
export type BandEnd =
  | { readonly how: 'finished' | 'deadlock'; readonly cycle: number; readonly unfinished: number }
  | { readonly how: 'stopped' }
  | {
      readonly how: 'failed';
      readonly phase: number;
      readonly code: ExitCode;
      readonly message: string;
      readonly law: Law | undefined;
    };

/** Runs a band to the end of the program. */
export function* bandCycles(plan: BandPlan, board: Int32Array, bands: number): Generator<undefined, BandEnd> {
  const band = new Band(plan);
  const { state, threads, streams } = band;
  let t = 0;
  for (let box = 0; ; box = 1 - box) {
    const at = (box * bands + plan.index) * BOARD_WORDS;
    const failure = stepAndTell(band, t, box, board.subarray(at, at + BOARD_WORDS));
    yield;
    if (failure !== undefined) return failure;
    const all = readBoard(board, box, bands);
    if (all.failed) return { how: 'stopped' };
    band.receive(t, box);
    const next = all.moves > 0 ? t + 1 : all.next;
    if (next !== NEVER && all.unfinished > 0) {
      t = next;
      continue;
    }
    for (const [i, stream] of plan.streams.entries()) plan.entered[stream] = streams.next[i];
    if (next === NEVER) return { how: 'deadlock', cycle: t, unfinished: all.unfinished };
    t = next;
    for (let pe = state.firstPe; pe < state.endPe; pe++) countSleep(state, threads, pe, t);
    return { how: 'finished', cycle: t, unfinished: 0 };
  }
}

/** One cycle of a band. Its error is told to the others, who would wait for it otherwise. */
function stepAndTell(band: Band, t: number, box: number, told: Int32Array): BandEnd | undefined {
  try {
    if (t > MOST_CYCLES) throw tooLong(band.state.program.name, t);
    const moves = band.step(t, box);
    told[MOVES] = moves;
    told[NEXT_EVENT] = moves > 0 ? t + 1 : nextEvent(band.state);
    told[UNFINISHED] = band.threads.unfinished;
    return undefined;
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    told[FAILED] = 1;
    const { code, message } = error;
    return { how: 'failed', phase: band.phase, code, message, law: error instanceof LawError ? error.law : undefined };
  }
}

function readBoard(
  board: Int32Array,
  box: number,
  bands: number,
): { moves: number; next: number; unfinished: number; failed: boolean } {
  const all = { moves: 0, next: NEVER, unfinished: 0, failed: false };
  for (let b = 0; b < bands; b++) {
    const at = (box * bands + b) * BOARD_WORDS;
    all.moves += board[at + MOVES];
    all.next = Math.min(all.next, board[at + NEXT_EVENT]);
    all.unfinished += board[at + UNFINISHED];
    if (board[at + FAILED] !== 0) all.failed = true;
  }
  return all;
}

/** The run, from how its bands ended; throws what a single thread would. */
export function conclude(cut: Cut, ends: readonly BandEnd[]): SteppedRun {
  const { state, threads, entered } = cut;
  const failures = ends.filter((end) => end.how === 'failed').sort((a, b) => a.phase - b.phase);
  if (failures.length > 0) {
    const [{ code, message, law }] = failures;
    throw law === undefined ? new EmulateError(code, message) : new LawError(law, message);
  }
  // A program without threads is at its end before any band begins.
  let cycle = 0;
  for (const end of ends) {
    if (end.how === 'deadlock')
      throw deadlock(topologyOfCut(cut), { ...threads, unfinished: end.unfinished }, entered, end.cycle);
    if (end.how === 'finished') cycle = end.cycle;
  }
  const run = { cycles: cycle, where: state.cores.where.slice(), memory: state.memory };
  assertLaws(topologyOfCut(cut), entered, run);
  return run;
}

/** What is sent into the image of a pipe comes to the pipe. */
function topologyOfCut({ program, state, bands }: Cut): Topology {
  const pipeOfImage = new Map<number, number>();
  for (const { crossings } of bands.slice(0, 1))
    crossings.image.forEach((image, i) => pipeOfImage.set(image, crossings.pipe[i]));
  return topologyOf(program, state, (pipe) => pipeOfImage.get(pipe) ?? pipe);
}
