// PE code that the sparse matmul and the gradient of its weights share: routes and colors, streams, and the two threads of a
// core. One takes the tokens of a stream, a weight or an index at a time; the other, which goes first, works for the ring:
// partial sums that are added up on their way, or a vector that is passed on as it is. Which of them a token or a slot is,
// and what it does to memory, is said by `RingValues`.

import { CAUSE } from '../../emulator/program/causes.ts';
import { type FabricProgram, type PeCode, PORT, type Route, type Stream } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import { columnOf, RING_COLORS, ringRoutes, sendColor } from '../../emulator/program/ring.ts';
import { axpyElementSlots, endsOf, psumWavelets, type SpmmShape } from '../../emulator/streamed/shape.ts';
import type { ValueMemory } from '../kernel.ts';

/** The ring has lower colors than the stream, so it goes first where both want the ramp. */
const WEIGHTS: number = RING_COLORS;
export const SPMM_COLORS: number = WEIGHTS + 1;

/** Semaphores of a core. */
const READY = 0;
const FREE = 1;

/** Places in the table of PE code: of a token, and of a slot that only sends, that sends what it takes, that only takes. */
const TOKEN = 0;
const SEND = 1;
const FORWARD = 2;
const KEEP = 3;

/** What a run with values adds to a shape. */
export interface RingValues extends ValueMemory {
  /** Payload of the stream of ring position p, in stream order, without control wavelets. */
  readonly weights: readonly Int32Array[];
  /** [TOKEN, SEND, FORWARD, KEEP] */
  readonly code: readonly PeCode[];
  /** Operand of the tokens of a feature. */
  readonly main: (n: number) => number;
  /** Operands of the slots of a wave. */
  readonly ring: (n: number) => { readonly a: number; readonly b: number };
}

export function ringProgram(name: string, shape: SpmmShape, values?: RingValues): FabricProgram {
  const { rows, cols } = shape;
  const routes: Route[] = [];
  for (let y = 0; y < rows; y++) {
    routes.push(...ringRoutes(cols, 0, y, 0, 'row'));
    for (let x = 0; x < cols; x++)
      routes.push({ x, y, color: WEIGHTS, from: PORT.N, to: y + 1 < rows ? [PORT.S, PORT.R] : [PORT.R] });
  }
  const cores = Array.from({ length: cols }, (_, x) => ({ threads: [] as Int32Array[], x }));
  for (let p = 0; p < cols; p++) {
    const core = cores[columnOf(p, cols)];
    core.threads = [thread(ringThread(shape, p, values)), thread(mainThread(shape, p, values))];
  }
  return {
    name,
    width: cols,
    height: rows,
    routes,
    streams: Array.from({ length: cols }, (_, p) => weightStream(shape, p, values)),
    cores: Array.from({ length: rows * cols }, (_, i) => cores[i % cols]),
    semaphores: 2,
    edgeColors: [WEIGHTS],
    code: values === undefined ? [] : values.code,
    memoryWords: values === undefined ? 0 : values.words,
    ...(values === undefined ? {} : { memory: values.memory }),
  };
}

function weightStream(shape: SpmmShape, p: number, values?: RingValues): Stream {
  const { features, cols, nnz, gap } = shape;
  let weights = 0;
  for (let n = 0; n < features; n++) weights += nnz[n * cols + p];
  const control = new Uint8Array(weights + features);
  const payload = new Int32Array(weights + features);
  let k = 0;
  let w = 0;
  for (let n = 0; n < features; n++) {
    for (let i = nnz[n * cols + p]; i > 0; i--) payload[k++] = values === undefined ? 0 : values.weights[p][w++];
    control[k++] = 1;
  }
  return {
    x: columnOf(p, cols),
    y: 0,
    port: PORT.N,
    color: WEIGHTS,
    gapNumerator: gap[0],
    gapDenominator: gap[1],
    control,
    ...(values === undefined ? {} : { payload }),
  };
}

function* mainThread(shape: SpmmShape, p: number, values?: RingValues): Generator<Instruction> {
  const { features, cols, nnz, accumulators: K, axpyOverhead, controlSlots } = shape;
  const slots = axpyElementSlots(shape);
  for (let n = 0; n < features; n++) {
    const repeat = nnz[n * cols + p];
    const free = n >= K ? { take: FREE } : {};
    const at = { code: TOKEN, a: values?.main(n) ?? 0 };
    yield { repeat, overhead: axpyOverhead, slots, trigger: WEIGHTS, ...at, ...free };
    // Without non-zeros the control wavelet is the first instruction of its feature.
    yield {
      slots: controlSlots,
      cause: CAUSE.overhead,
      trigger: WEIGHTS,
      control: true,
      give: READY,
      ...(repeat === 0 ? free : {}),
    };
  }
}

function* ringThread(shape: SpmmShape, p: number, values?: RingValues): Generator<Instruction> {
  const { cols } = shape;
  const slots = psumWavelets(shape);
  const ends = endsOf(shape);
  const incoming = sendColor((p + cols - 1) % cols, cols);
  const outgoing = sendColor(p, cols);
  for (let n = 0; n < ends.length; n++) {
    const first = p === (ends[n] + 1) % cols;
    const last = p === ends[n];
    const common = { slots, cause: CAUSE.reduce, take: READY, give: FREE };
    const at = values?.ring(n) ?? {};
    if (cols === 1) yield { ...common, ...at, code: KEEP };
    else if (last) yield { ...common, ...at, input: incoming, code: KEEP };
    else if (first) yield { ...common, ...at, output: outgoing, code: SEND };
    else yield { ...common, ...at, input: incoming, output: outgoing, code: FORWARD };
  }
}
