// Rows of a table for the tokens of the batch: token embeddings, learned positions, angles of rotary positions. A
// column's stream brings its features of all of them and is copied to every row; a PE takes every wavelet, one a slot,
// keeps those of its own tokens and discards the others.
//
// Order of a stream: token by token (or position by position), `perToken` wavelets each, two features a wavelet, the
// lower in the low half. Memory of a PE, in 32-bit words: output [F][T], stored or added to.
//   order 'tokens'     row y keeps the tokens y * T .. (y + 1) * T - 1 of the stream, in order
//   order 'positions'  sequences lie on R consecutive rows and share the stream: token a of row y is position
//                      (y mod R) + a * R

import { fp16, highHalf, lowHalf, packPair } from '../emulator/numerics/fp16.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { columnStream, columnStreamRoutes } from './columnStream.ts';
import type { Gap } from './edge.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByRow, singleThreadProgram } from './singleThread.ts';

export interface RowStreamShape {
  readonly kernel: 'rowStream';
  readonly rows: number;
  readonly cols: number;
  readonly tokens: number;
  readonly perToken: number;
  /** Wavelets of a stream; also where only some of the rows are run. */
  readonly total: number;
  readonly order: { readonly by: 'tokens' } | { readonly by: 'positions'; readonly rowsPerSequence: number };
  readonly gap: Gap;
}

export interface RowStreamValues extends ValueMemory {
  readonly at: { readonly output: number };
  readonly mode: 'store' | 'add';
  readonly features: number;
  /** By column. */
  readonly wavelets: readonly Int32Array[];
}

const STREAM = 0;

export const rowStream: Kernel<RowStreamShape, RowStreamValues> = {
  rows: 'shifted',
  program(shape, _machine, values) {
    const { rows, cols, total, gap, perToken, tokens } = shape;
    return singleThreadProgram(
      {
        name: 'rowStream',
        width: cols,
        height: rows,
        routes: columnStreamRoutes(cols, rows, STREAM),
        streams: Array.from({ length: cols }, (_, x) => columnStream(x, STREAM, total, gap, values?.wavelets[x])),
        edgeColors: [STREAM],
        cores: coresByRow(cols, rows, (y) => rowThread(shape, y)),
        code: values === undefined ? [] : [keep(values, perToken, tokens)],
      },
      values,
    );
  },
};

function* rowThread(shape: RowStreamShape, y: number): Generator<Instruction> {
  const { total } = shape;
  let taken = 0;
  for (const { first, wavelets, token } of keptBy(shape, y)) {
    const from = Math.min(first, total);
    const to = Math.min(first + wavelets, total);
    yield { slots: from - taken, input: STREAM, cause: CAUSE.overhead };
    yield { slots: to - from, input: STREAM, code: 0, a: token };
    taken = to;
  }
  yield { slots: total - taken, input: STREAM, cause: CAUSE.overhead };
}

/** Stretches of the stream that row y keeps, and the token that each begins with. */
function* keptBy(
  { tokens, perToken, order }: RowStreamShape,
  y: number,
): Generator<Record<'first' | 'wavelets' | 'token', number>> {
  if (order.by === 'tokens') {
    yield { first: y * tokens * perToken, wavelets: tokens * perToken, token: 0 };
    return;
  }
  const { rowsPerSequence } = order;
  for (let token = 0; token < tokens; token++)
    yield { first: ((y % rowsPerSequence) + token * rowsPerSequence) * perToken, wavelets: perToken, token };
}

function keep({ at, mode, features }: RowStreamValues, perToken: number, tokens: number): PeCode {
  return (memory, base, { a, slot }, wavelet) => {
    const token = a + Math.floor(slot / perToken);
    const feature = 2 * (slot % perToken);
    const put = (k: number, value: number): void => {
      const to = base + at.output + k * tokens + token;
      memory[to] = mode === 'add' ? fp16(memory[to] + value) : value;
    };
    put(feature, lowHalf(wavelet));
    if (feature + 1 < features) put(feature + 1, highHalf(wavelet));
    return 0;
  };
}

/** The stream of one column: `value(token, feature)` for `tokens` tokens of `features` features. */
export function tableWavelets(
  tokens: number,
  features: number,
  value: (token: number, feature: number) => number,
): Int32Array {
  const perToken = Math.ceil(features / 2);
  return Int32Array.from({ length: tokens * perToken }, (_, i) => {
    const token = Math.floor(i / perToken);
    const feature = 2 * (i % perToken);
    return packPair(value(token, feature), feature + 1 < features ? value(token, feature + 1) : 0);
  });
}
