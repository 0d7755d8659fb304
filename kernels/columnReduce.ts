// What leaves the wafer: wavelet by wavelet each column adds up its rows by a chain going south, and the last row hands the
// sums to the south edge. Gradients of biases and gains are sums of fp32, those of weights of either kind; the gradient of a
// token's embedding is a sum of one, of the row that holds the token, while the others send on what comes.
//
// The edge takes wavelets out at a pace, as it lets them in: wavelet k of a column not before cycle k * gap after its first.
// So they start at this pace: the edge sends wavelets in at the north, and row 0 sends its k-th with the k-th of them. On
// their way nothing holds them up, and they leave as they started.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   order 'sums'       sums [wavelets] fp32; wavelet i carries sum i
//   order 'pairs'      sums [2 * wavelets] fp16; wavelet i carries sums 2 i and 2 i + 1
//   order 'tokens'     gradient [F][T] fp16, two features a wavelet, `perToken` wavelets a token: row y adds to wavelets
//                      y * T * perToken on, token by token
//   order 'positions'  sequences lie on R consecutive rows: token a of row y is position (y mod R) + a * R, and adds to
//                      the wavelets of its position

import type { Machine } from '../emulator/machine/spec.ts';
import { highHalf, lowHalf, packPair, packSingle, single } from '../emulator/numerics/fp16.ts';
import { CAUSE } from '../emulator/program/causes.ts';
import { type PeCode, PORT, type Route } from '../emulator/program/fabric.ts';
import type { Instruction } from '../emulator/program/instruction.ts';
import { columnStream } from './columnStream.ts';
import type { Gap } from './edge.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByRow, singleThreadProgram } from './singleThread.ts';

export interface ColumnReduceShape {
  readonly kernel: 'columnReduce';
  /** All rows of the wafer that are in use: each adds to the sums. */
  readonly rows: number;
  readonly cols: number;
  /** That leave a column. */
  readonly wavelets: number;
  readonly gap: Gap;
}

export type RowOrder =
  | { readonly by: 'sums' }
  | { readonly by: 'pairs' }
  | { readonly by: 'tokens'; readonly features: number; readonly tokens: number }
  | { readonly by: 'positions'; readonly features: number; readonly tokens: number; readonly rowsPerSequence: number };

export interface ColumnReduceValues extends ValueMemory {
  /** First word of the sums or of the gradient. */
  readonly at: number;
  readonly order: RowOrder;
  /** By column: takes the 32 bits of each wavelet that leaves. */
  readonly leaving: readonly Int32Array[];
}

/** A router knows one route for a color, so neighbours of the chain send on two in turn. */
const CHAIN = 0;
const PACE = 2;

export const COLUMN_REDUCE_COLORS: number = PACE + 1;

const SEND = 0;
const LEAVE = 1;

export const columnReduce: Kernel<ColumnReduceShape, ColumnReduceValues> = {
  rows: 'same',
  program(shape, _machine, values) {
    const { rows, cols, wavelets, gap } = shape;
    return singleThreadProgram(
      {
        name: 'columnReduce',
        width: cols,
        height: rows,
        routes: routesOf(shape),
        streams: Array.from({ length: cols }, (_, x) => columnStream(x, PACE, wavelets, gap)),
        edgeColors: [PACE],
        cores: coresByRow(cols, rows, (y) => [rowInstruction(shape, y)]),
        code: values === undefined ? [] : peCode(shape, values),
      },
      values,
    );
  },
};

/** Cycles from a slot of one row to the slot of the next that takes its wavelet, where nothing holds it up. */
export function rowLead({ fabric, core }: Machine): number {
  return core.resultLatency + 2 * fabric.rampLatency + 1;
}

function routesOf({ rows, cols }: ColumnReduceShape): Route[] {
  const routes: Route[] = [];
  for (let x = 0; x < cols; x++) {
    routes.push({ x, y: 0, color: PACE, from: PORT.N, to: [PORT.R] });
    for (let y = 0; y + 1 < rows; y++) {
      const color = CHAIN + (y & 1);
      routes.push({ x, y, color, from: PORT.R, to: [PORT.S] });
      routes.push({ x, y: y + 1, color, from: PORT.N, to: [PORT.R] });
    }
  }
  return routes;
}

/** Each slot takes a wavelet, of the pace or of the row above, and sends one or lets one leave. */
function rowInstruction({ rows, wavelets }: ColumnReduceShape, y: number): Instruction {
  const input = y === 0 ? PACE : CHAIN + ((y - 1) & 1);
  const common = { slots: wavelets, cause: CAUSE.reduce, input, a: y };
  return y + 1 < rows ? { ...common, output: CHAIN + (y & 1), code: SEND } : { ...common, code: LEAVE };
}

function peCode({ cols }: ColumnReduceShape, { at, order, words, leaving }: ColumnReduceValues): PeCode[] {
  const send: PeCode = (memory, base, { a: y, slot: i }, wavelet) => {
    const incoming = y === 0 ? 0 : wavelet;
    if (order.by === 'sums') return packSingle(Math.fround(memory[base + at + i] + single(incoming)));
    if (order.by === 'pairs') return addPair(incoming, memory[base + at + 2 * i], memory[base + at + 2 * i + 1]);
    const perToken = Math.ceil(order.features / 2);
    const token = tokenOf(order, y, Math.floor(i / perToken));
    if (token < 0 || token >= order.tokens) return incoming;
    const feature = 2 * (i % perToken);
    const value = (f: number): number => (f < order.features ? memory[base + at + f * order.tokens + token] : 0);
    return addPair(incoming, value(feature), value(feature + 1));
  };
  const leave: PeCode = (memory, base, args, wavelet) => {
    leaving[(base / words) % cols][args.slot] = send(memory, base, args, wavelet);
    return 0;
  };
  return [send, leave];
}

function addPair(wavelet: number, low: number, high: number): number {
  return packPair(low + lowHalf(wavelet), high + highHalf(wavelet));
}

/** Which token of row y the n-th of the column is; outside 0 .. T - 1 if it is none of them. */
function tokenOf(order: Exclude<RowOrder, { by: 'sums' | 'pairs' }>, y: number, n: number): number {
  if (order.by === 'tokens') return n - y * order.tokens;
  const { rowsPerSequence: R } = order;
  return n % R === y % R ? Math.floor(n / R) : -1;
}
