// A mesh cut into bands of rows, which several threads step at the same time (band.ts). All banks lie in shared memory;
// a band touches only the words of its own PEs.
//
// A pipe that leads from one band into another is there twice: the taking band has the pipe, the sending band an image
// of it. What one does with its side, the other hears of by mail and repeats.

import { internalError } from '../errors.ts';
import type { Latencies } from '../machine/spec.ts';
import type { FabricProgram } from '../program/fabric.ts';
import { NONE } from '../program/instruction.ts';
import { decode, startThreads, type ThreadState } from './cores.ts';
import { CONSUMER, MAIL_WORDS, PRODUCER, ROUTE_TARGETS, ROUTE_WORDS, TARGET_PIPE, TARGET_WORDS } from './layout.ts';
import { load, type State } from './load.ts';
import { PipeBank, pipeWords, writeEmpty } from './pipes.ts';

/** A program without PE code: functions cannot cross to another thread, and only time is asked of bands. */
export type TimingProgram = FabricProgram & { readonly code: readonly []; readonly memory?: undefined };

/** The program as one without PE code; it is a defect to ask this of one that has some. */
export function timingOnly({ code, memory, memoryWords, ...program }: FabricProgram): TimingProgram {
  if (code.length > 0 || memory !== undefined || memoryWords > 0)
    throw internalError(`${program.name}: a program that carries values runs in one thread`);
  return { ...program, code: [], memoryWords };
}

/** The pipes that cross from band to band, by number. */
export interface Crossings {
  /** The pipe where it is taken from, its image where it is sent into, and the bands of both. */
  readonly pipe: Int32Array;
  readonly image: Int32Array;
  readonly taker: Int32Array;
  readonly sender: Int32Array;
  /** Shared. Two boxes of MAIL_WORDS a crossing: a band may be a cycle ahead of one that still reads. */
  readonly mail: Int32Array;
}

/** Parts that sleep lie this far apart for two bands, so that they do not share a line of the cache. */
const PART_STRIDE = 16;

/** What a thread is given: plain data, of which all that changes lies in shared memory. */
export interface BandPlan {
  readonly index: number;
  readonly state: State;
  readonly threads: ThreadState;
  readonly crossings: Crossings;
  /** Of each stream of the program, the wavelets that came in; and the streams of this band by their place there. */
  readonly entered: Int32Array;
  readonly streams: Int32Array;
}

/** A whole program in shared memory, and its bands. */
export interface Cut {
  readonly program: TimingProgram;
  readonly state: State;
  readonly threads: ThreadState;
  readonly entered: Int32Array;
  readonly bands: readonly BandPlan[];
}

function shared(bank: Int32Array, length: number = bank.length): Int32Array {
  const copy = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  copy.set(bank);
  return copy;
}

/** First rows of `count` bands as even as rows allow; fewer bands where there are fewer rows. */
export function evenBands(height: number, count: number): number[] {
  const bands = Math.min(count, height);
  return Array.from({ length: bands }, (_, b) => Math.floor((b * height) / bands));
}

/** Loads a program and cuts it into bands whose first rows are `rows`, ascending from 0. */
export function cutIntoBands(program: TimingProgram, latencies: Latencies, rows: readonly number[]): Cut {
  const loaded = load(program, latencies);
  const { pes, entry } = loaded;
  const bandOf = new Int32Array(pes);
  rows.forEach((row, band) => bandOf.fill(band, row * program.width));
  const crossing = findCrossings(loaded, bandOf);
  const state = shareState(loaded, crossing.length, rows.length);
  const crossings = joinByMail(state, crossing, loaded.pipes.words.length);
  const bandOfStream = Int32Array.from(program.streams, ({ x, y }) => bandOf[y * program.width + x]);
  entry.forEach((pipe, i) => {
    state.pipes.words[pipe + PRODUCER] = streamPart(pes, bandOfStream[i]);
  });
  const threads = shareThreads(startThreads(state));
  for (let th = 0; th < threads.pe.length; th++)
    if (state.cores.pc[th] < state.cores.end[th]) decode(state, threads, th);
  const entered = shared(new Int32Array(program.streams.length));
  const bands = rows.map((row, index): BandPlan => {
    const streams = Int32Array.from(bandOfStream.keys()).filter((i) => bandOfStream[i] === index);
    const firstPe = row * program.width;
    const endPe = index + 1 < rows.length ? rows[index + 1] * program.width : pes;
    const own = {
      program: { ...state.program, streams: Array.from(streams, (i) => program.streams[i]) },
      firstPe,
      endPe,
      streamPart: streamPart(pes, index),
      entry: streams.map((i) => entry[i]),
    };
    const ownThreads = { ...threads, unfinished: unfinishedIn(state, firstPe, endPe) };
    return { index, state: { ...state, ...own }, threads: ownThreads, crossings, entered, streams };
  });
  return { program, state, threads, entered, bands };
}

/** The state in shared memory, with room for images. */
function shareState(loaded: State, images: number, bands: number): State {
  const { program, latencies, pes, pipes, routers, cores } = loaded;
  const { words, creditLatency } = pipes;
  return {
    ...loaded,
    // What the cycle loop asks of a program; its routes and cores are in the banks.
    program: { ...program, routes: [], cores: [] },
    pipes: new PipeBank({
      words: shared(words, words.length + images * pipeWords(latencies.routerBuffer)),
      wake: shared(new Int32Array(2 * pes + PART_STRIDE * bands)),
      pipes: shared(pipes.pipes),
      creditLatency,
    }),
    routers: { firstRoute: shared(routers.firstRoute), routes: shared(routers.routes) },
    cores: {
      firstThread: shared(cores.firstThread),
      instructions: shared(cores.instructions),
      pc: shared(cores.pc),
      end: shared(cores.end),
      inputOf: shared(cores.inputOf),
      outputOf: shared(cores.outputOf),
      waitOf: shared(cores.waitOf),
      semaphore: shared(cores.semaphore),
      where: shared(cores.where),
    },
  };
}

/** Writes the images, from `firstImage` on, and leads the senders to them. */
function joinByMail(
  { pes, pipes, routers, latencies }: State,
  crossing: readonly Crossing[],
  firstImage: number,
): Crossings {
  const { words } = pipes;
  const image = Int32Array.from(crossing, (_, i) => firstImage + i * pipeWords(latencies.routerBuffer));
  crossing.forEach(({ pipe, target, sender, taker }, i) => {
    const producer = words[pipe + PRODUCER];
    writeEmpty(words, image[i], { capacity: latencies.routerBuffer, consumer: mailPart(pes, sender), producer });
    words[pipe + PRODUCER] = mailPart(pes, taker);
    routers.routes[target + TARGET_PIPE] = image[i];
  });
  return {
    pipe: Int32Array.from(crossing, ({ pipe }) => pipe),
    image,
    taker: Int32Array.from(crossing, ({ taker }) => taker),
    sender: Int32Array.from(crossing, ({ sender }) => sender),
    mail: shared(new Int32Array(2 * MAIL_WORDS * crossing.length).fill(NONE)),
  };
}

function streamPart(pes: number, band: number): number {
  return 2 * pes + band * PART_STRIDE;
}

/** Woken by what the other band will be told by mail; nothing looks at it. */
function mailPart(pes: number, band: number): number {
  return streamPart(pes, band) + 1;
}

function unfinishedIn({ cores }: State, firstPe: number, endPe: number): number {
  let unfinished = 0;
  for (let th = cores.firstThread[firstPe]; th < cores.firstThread[endPe]; th++)
    if (cores.pc[th] < cores.end[th]) unfinished++;
  return unfinished;
}

function shareThreads(threads: ThreadState): ThreadState {
  const { pe, item, slot, run, flow, trigger, input, output, payload, until, sleptFrom, running, cause } = threads;
  return {
    pe: shared(pe),
    item: shared(item),
    slot: shared(slot),
    run: shared(run),
    flow: shared(flow),
    trigger: shared(trigger),
    input: shared(input),
    output: shared(output),
    payload: shared(payload),
    until: shared(until),
    sleptFrom: shared(sleptFrom),
    running: shared(running),
    cause: shared(cause),
    issued: 0,
    unfinished: threads.unfinished,
  };
}

interface Crossing {
  readonly pipe: number;
  /** The record of the target that leads into it. */
  readonly target: number;
  readonly sender: number;
  readonly taker: number;
}

/** The targets of routes that lead into a pipe of another band. */
function findCrossings({ pes, routers, pipes }: State, bandOf: Int32Array): Crossing[] {
  const { firstRoute, routes } = routers;
  const { words } = pipes;
  const crossing: Crossing[] = [];
  for (let pe = 0; pe < pes; pe++)
    for (let r = firstRoute[pe]; r < firstRoute[pe + 1]; r += ROUTE_WORDS)
      for (let k = routes[r + ROUTE_TARGETS]; k < routes[r + ROUTE_WORDS + ROUTE_TARGETS]; k += TARGET_WORDS) {
        const pipe = routes[k + TARGET_PIPE];
        // The consumer of a pipe is a router, which has the number of its PE, or the core of this very PE.
        const consumer = words[pipe + CONSUMER];
        if (consumer < pes && bandOf[consumer] !== bandOf[pe])
          crossing.push({ pipe, target: k, sender: bandOf[pe], taker: bandOf[consumer] });
      }
  return crossing;
}
