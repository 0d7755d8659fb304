// PE code of the sparse matrix multiply: data layout, routes and colors, threads.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   input   [F][T]  feature k of the input at local index floor(k / C)
//   output  [F'][T] feature n of the output at its local index where it ends
//   sums    [K][T]  accumulators; feature n uses number n mod K
// A weight wavelet is the fp16 weight in the high half and the local index of its input feature in the low half.

import { fp16, fp16Value, highHalf, lowHalf, packPair, packSingle, single } from '../../emulator/numerics/fp16.ts';
import { CAUSE } from '../../emulator/program/causes.ts';
import { type FabricProgram, type PeCode, PORT, type Route, type Stream } from '../../emulator/program/fabric.ts';
import { type Instruction, thread } from '../../emulator/program/instruction.ts';
import { columnOf, RING_COLORS, ringRoutes, sendColor } from '../../emulator/program/ring.ts';
import { axpyElementSlots, endsOf, psumWavelets, type SpmmShape } from '../../emulator/streamed/shape.ts';

/** Partial sums have lower colors than weights, so they go first where both want the ramp. */
const WEIGHTS: number = RING_COLORS;
export const SPMM_COLORS: number = WEIGHTS + 1;

/** Semaphores of a core. */
const READY = 0;
const FREE = 1;

const AXPY = 0;
const SEND = 1;
const FORWARD = 2;
const KEEP = 3;

/** What a run with values adds to a shape. */
export interface SpmmValues {
  /** Words before the input, the output and the sums within a PE's memory, and words in all. */
  readonly inputAt: number;
  readonly outputAt: number;
  readonly sumsAt: number;
  readonly words: number;
  /** By feature: its local index where it ends. */
  readonly outputLocal: ArrayLike<number>;
  /** Initial memory, PE by PE. */
  readonly memory: Float32Array;
  /** fp16 bits of the weights of ring position p, in stream order, with local feature indices: see `weightWavelet`. */
  readonly weights: readonly Int32Array[];
}

export function weightWavelet(weightBits: number, localFeature: number): number {
  return (weightBits << 16) | localFeature;
}

export function spmmProgram(shape: SpmmShape, values?: SpmmValues): FabricProgram {
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
    core.threads = [thread(reduceThread(shape, p, values)), thread(mainThread(shape, p, values))];
  }
  return {
    name: 'spmm',
    width: cols,
    height: rows,
    routes,
    streams: Array.from({ length: cols }, (_, p) => weightStream(shape, p, values)),
    cores: Array.from({ length: rows * cols }, (_, i) => cores[i % cols]),
    semaphores: 2,
    edgeColors: [WEIGHTS],
    code: values === undefined ? [] : peCode(shape, values.inputAt),
    memoryWords: values === undefined ? 0 : values.words,
    ...(values === undefined ? {} : { memory: values.memory }),
  };
}

function weightStream(shape: SpmmShape, p: number, values?: SpmmValues): Stream {
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

function* mainThread(shape: SpmmShape, p: number, values?: SpmmValues): Generator<Instruction> {
  const { features, cols, nnz, accumulators: K, axpyOverhead, controlSlots, tokens } = shape;
  const slots = axpyElementSlots(shape);
  for (let n = 0; n < features; n++) {
    const repeat = nnz[n * cols + p];
    const free = n >= K ? { take: FREE } : {};
    const at = { code: AXPY, a: (values?.sumsAt ?? 0) + (n % K) * tokens };
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

function* reduceThread(shape: SpmmShape, p: number, values?: SpmmValues): Generator<Instruction> {
  const { cols, accumulators: K, tokens } = shape;
  const slots = psumWavelets(shape);
  const ends = endsOf(shape);
  const incoming = sendColor((p + cols - 1) % cols, cols);
  const outgoing = sendColor(p, cols);
  for (let n = 0; n < ends.length; n++) {
    const first = p === (ends[n] + 1) % cols;
    const last = p === ends[n];
    const common = { slots, cause: CAUSE.reduce, take: READY, give: FREE };
    const at = {
      a: (values?.sumsAt ?? 0) + (n % K) * tokens,
      b: (values?.outputAt ?? 0) + (values?.outputLocal[n] ?? 0) * tokens,
    };
    if (cols === 1) yield { ...common, ...at, code: KEEP };
    else if (last) yield { ...common, ...at, input: incoming, code: KEEP };
    else if (first) yield { ...common, ...at, output: outgoing, code: SEND };
    else yield { ...common, ...at, input: incoming, output: outgoing, code: FORWARD };
  }
}

/** Reading an accumulator clears it for the next feature that uses it. */
function peCode({ tokens: T, psumPerWavelet, cols }: SpmmShape, inputAt: number): PeCode[] {
  const half = psumPerWavelet === 2;
  const round = half ? fp16 : Math.fround;
  const axpy: PeCode = (memory, base, { a }, wavelet) => {
    const weight = fp16Value(wavelet >>> 16);
    const input = base + inputAt + (wavelet & 0xffff) * T;
    for (let i = 0; i < T; i++) {
      const product = memory[input + i] * weight;
      memory[base + a + i] = round(memory[base + a + i] + (half ? fp16(product) : product));
    }
    return 0;
  };
  const forward: PeCode = (memory, base, { a, slot }, wavelet) => {
    const at = base + a + slot * psumPerWavelet;
    const low = memory[at];
    memory[at] = 0;
    if (!half) return packSingle(Math.fround(low + single(wavelet)));
    const has = slot * 2 + 1 < T;
    const high = has ? memory[at + 1] : 0;
    if (has) memory[at + 1] = 0;
    return packPair(lowHalf(wavelet) + low, highHalf(wavelet) + high);
  };
  const send: PeCode = (memory, base, args) => forward(memory, base, args, 0);
  const keep: PeCode = (memory, base, args, wavelet) => {
    const sum = forward(memory, base, args, wavelet);
    const at = base + args.b + args.slot * psumPerWavelet;
    memory[at] = half ? lowHalf(sum) : fp16(single(sum));
    if (half && args.slot * 2 + 1 < T) memory[at + 1] = highHalf(sum);
    return 0;
  };
  // A ring of one has no fabric operand, so its instruction runs once, after its last slot.
  const keepAll: PeCode = (memory, base, { a, b }) => {
    for (let i = 0; i < T; i++) {
      memory[base + b + i] = fp16(memory[base + a + i]);
      memory[base + a + i] = 0;
    }
    return 0;
  };
  return [axpy, send, forward, cols === 1 ? keepAll : keep];
}
