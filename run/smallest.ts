// The smallest case that still breaks a law: of a case that breaks it, ever smaller ones are tried, halves first and then
// one less, and each that breaks the same law is taken. What ends is a case of which no smaller one breaks it, or the
// best that so many tries have found.

import { type Law, LawError, type SmallestCase } from '../emulator/laws.ts';
import type { Latencies } from '../emulator/machine/spec.ts';
import { AT_REPEAT, AT_SLOTS, INSTRUCTION_WORDS } from '../emulator/program/instruction.ts';
import { isBalanced } from '../emulator/stepped/conservation.ts';
import type { TimingProgram } from '../emulator/stepped/cut.ts';
import type { SpmmCase } from '../kernels/index.ts';
import { type PlainCase, type ProgramCase, specText } from './kernelCase.ts';

const MOST_TRIES = 1000;
const MOST_MILLISECONDS = 20_000;

/** Does a run end by breaking this law? Any other error is that of a case which is none. */
export function breaks(law: Law, run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return error instanceof LawError && error.law === law;
  }
}

/** `smaller` gives cases smaller than one, the smallest first. */
export function smallestThat<Case>(
  from: Case,
  smaller: (one: Case) => Iterable<Case>,
  isBad: (one: Case) => boolean,
): Case {
  const until = performance.now() + MOST_MILLISECONDS;
  let tries = 0;
  const next = (one: Case): Case | undefined => {
    for (const other of smaller(one)) {
      if (++tries > MOST_TRIES || performance.now() > until) return undefined;
      if (isBad(other)) return other;
    }
    return undefined;
  };
  let best = from;
  for (let found = next(best); found !== undefined; found = next(best)) best = found;
  return best;
}

/** What a file says of itself. */
export function lawNote(law: Law): string {
  return `the smallest case found that breaks the law of ${law}`;
}

/** The smallest case as a file; `flags` are what `emulate kernel` needs beside it. */
export function fileOf(one: PlainCase, note: string, flags = ''): SmallestCase {
  return {
    stem: one.kernel === 'program' ? one.program.name : one.kernel,
    suffix: '.json',
    content: specText(one, note),
    before: 'kernel --spec',
    after: flags,
  };
}

export function smallestCase(one: PlainCase, law: Law, time: (one: PlainCase) => unknown): PlainCase {
  return smallestThat(one, smallerCases, (other) => breaks(law, () => time(other)));
}

function smallerCases(one: PlainCase): Iterable<PlainCase> {
  if (one.kernel === 'spmm') return smallerSpmm(one);
  return one.kernel === 'program' ? smallerProgram(one) : smallerShapes(one);
}

/** One, half as many, one less. */
function* fewer(count: number): Iterable<number> {
  if (count > 1) yield 1;
  if (count > 3) yield count >> 1;
  if (count > 2) yield count - 1;
}

/** The same with one of its whole numbers smaller. */
export function* smallerShapes<Shape extends object>(shape: Shape): Iterable<Shape> {
  for (const [field, value] of Object.entries(shape)) {
    const count: unknown = value;
    if (typeof count === 'number' && Number.isInteger(count))
      for (const less of fewer(count)) yield { ...shape, [field]: less };
  }
}

/** Cells of a matrix and features that are looked at one by one. */
const FEW_CELLS = 64;
const FEW_FEATURES = 32;

function* smallerSpmm(one: SpmmCase): Iterable<SpmmCase> {
  for (const other of fewerOfSpmm(one)) if (isMatmul(other)) yield other;
}

/** Do its waves keep what shape.ts asks of them? */
function isMatmul({ features, waves = features, ends, cols, accumulators }: SpmmCase): boolean {
  if (waves < 1 || features - waves < 0 || features - waves > accumulators) return false;
  if (ends === undefined) return true;
  const isFree = (end: number, n: number): boolean => end < cols && (cols === 1 || n === 0 || end !== ends[n - 1]);
  return ends.length === waves && ends.every(isFree);
}

function* fewerOfSpmm(one: SpmmCase): Iterable<SpmmCase> {
  const { features, cols, rows, tokens, accumulators, gap, nnz, ends } = one;
  for (const count of fewer(features)) {
    yield withFeatures(one, (n) => n < count);
    yield withFeatures(one, (n) => n >= features - count);
  }
  for (const count of fewer(cols)) yield withColumns(one, count);
  for (const less of fewer(rows)) yield { ...one, rows: less };
  for (const less of fewer(tokens)) yield { ...one, tokens: less };
  for (const less of fewer(accumulators)) yield { ...one, accumulators: less };
  if (gap[0] !== gap[1]) yield { ...one, gap: [1, 1] };
  if (ends !== undefined || one.waves !== undefined) {
    const { ends: _ends, waves: _waves, ...usual } = one;
    yield usual;
  }
  if (nnz.some((count) => count > 0)) yield { ...one, nnz: new Uint16Array(nnz.length) };
  if (nnz.some((count) => count > 1)) yield { ...one, nnz: nnz.map((count) => count >> 1) };
  if (nnz.some((count) => count > 1)) yield { ...one, nnz: nnz.map((count) => Math.min(count, 1)) };
  if (features <= FEW_FEATURES)
    for (let skipped = 0; skipped < features; skipped++)
      if (features > 1) yield withFeatures(one, (n) => n !== skipped);
  if (nnz.length <= FEW_CELLS)
    for (const cell of nnz.keys())
      for (const count of [0, nnz[cell] >> 1, nnz[cell] - 1])
        if (count >= 0 && count < nnz[cell]) yield { ...one, nnz: nnz.with(cell, count) };
}

/** As many features without a wave as before; the waves end where the first features that are left did. */
function withFeatures(one: SpmmCase, has: (feature: number) => boolean): SpmmCase {
  const { nnz, ends, cols, features, waves } = one;
  const left = Array.from({ length: features }, (_, n) => n).filter(has).length;
  const wavesLeft = left - (features - (waves ?? features));
  return {
    ...one,
    features: left,
    nnz: nnz.filter((_, cell) => has(Math.floor(cell / cols))),
    ...(waves === undefined ? {} : { waves: wavesLeft }),
    ...(ends === undefined ? {} : { ends: ends.filter((_, n) => has(n)).slice(0, Math.max(0, wavesLeft)) }),
  };
}

/** The first columns. */
function withColumns(one: SpmmCase, cols: number): SpmmCase {
  const nnz = one.nnz.filter((_, cell) => cell % one.cols < cols);
  return { ...one, cols, nnz, ...(one.ends === undefined ? {} : { ends: one.ends.map((end) => end % cols) }) };
}

/**
 * Smaller programs. Of one whose wavelets are sent and taken in equal numbers only those are given of which that is so, too:
 * any other breaks laws by itself.
 */
function* smallerProgram(one: ProgramCase): Iterable<ProgramCase> {
  const { program, latencies } = one;
  const mustBalance = isSound(program, latencies);
  for (const smaller of smallerPrograms(program))
    if (!mustBalance || isSound(smaller, latencies)) yield { ...one, program: smaller };
}

/** May a program be run, and does it take what it sends? */
export function isSound(program: TimingProgram, latencies: Latencies): boolean {
  try {
    return isBalanced(program, latencies);
  } catch {
    return false;
  }
}

function* smallerPrograms(program: TimingProgram): Iterable<TimingProgram> {
  const { streams, cores } = program;
  yield* cropped(program);
  // Everything at once, so that what is sent stays what is taken.
  if (streams.some(({ control }) => control.length > 1) || cores.some(({ threads }) => threads.some(isRepeated)))
    yield {
      ...program,
      streams: streams.map((stream) => withWavelets(stream, (stream.control.length + 1) >> 1)),
      cores: cores.map(({ threads }) => ({ threads: threads.map(halved) })),
    };
  for (const [i, stream] of streams.entries()) {
    yield { ...program, streams: streams.filter((other) => other !== stream) };
    for (const count of fewer(stream.control.length))
      yield { ...program, streams: streams.with(i, withWavelets(stream, count)) };
  }
  for (const [pe, { threads }] of cores.entries())
    for (const [i, code] of threads.entries())
      for (const less of shorter(code))
        yield {
          ...program,
          cores: cores.with(pe, { threads: threads.with(i, less).filter((each) => each.length > 0) }),
        };
  for (const route of program.routes) yield { ...program, routes: program.routes.filter((other) => other !== route) };
}

/** Without rows and columns at the south and the east in which nothing is. */
function* cropped({ width, height, cores, ...rest }: TimingProgram): Iterable<TimingProgram> {
  const busy = cores.flatMap(({ threads }, pe) =>
    threads.length > 0 ? [{ x: pe % width, y: Math.floor(pe / width) }] : [],
  );
  const used = [...busy, ...rest.routes, ...rest.streams];
  const [columns, rows] = [1 + Math.max(0, ...used.map(({ x }) => x)), 1 + Math.max(0, ...used.map(({ y }) => y))];
  if (columns === width && rows === height) return;
  const kept = cores.filter((_, pe) => pe % width < columns && pe < rows * width);
  yield { ...rest, width: columns, height: rows, cores: kept };
}

function withWavelets(stream: TimingProgram['streams'][number], count: number): TimingProgram['streams'][number] {
  return { ...stream, control: stream.control.slice(0, count) };
}

function isRepeated(code: Int32Array): boolean {
  return code.some(
    (word, i) => word > 1 && (i % INSTRUCTION_WORDS === AT_REPEAT || i % INSTRUCTION_WORDS === AT_SLOTS),
  );
}

function halved(code: Int32Array): Int32Array {
  return code.map((word, i) =>
    i % INSTRUCTION_WORDS === AT_REPEAT || i % INSTRUCTION_WORDS === AT_SLOTS ? (word + 1) >> 1 : word,
  );
}

/** A thread without an instruction, or with fewer items or slots of one. */
function* shorter(code: Int32Array): Iterable<Int32Array> {
  if (code.length > 0) yield new Int32Array(0);
  for (let at = 0; at < code.length; at += INSTRUCTION_WORDS) {
    if (code.length > INSTRUCTION_WORDS) yield code.filter((_, i) => i < at || i >= at + INSTRUCTION_WORDS);
    for (const field of [AT_REPEAT, AT_SLOTS])
      for (const less of fewer(code[at + field])) yield code.with(at + field, less);
  }
}
