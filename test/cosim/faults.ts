// Shapes with one parameter off by one, by the name of the parameter: what a comparison must be able to see.

import type { Latencies } from '../../emulator/machine/spec.ts';
import { endsOf, type SpmmShape, wavesOf } from '../../emulator/streamed/shape.ts';

const latency = (name: keyof Latencies) => (shape: SpmmShape) => ({
  ...shape,
  latencies: { ...shape.latencies, [name]: shape.latencies[name] + 1 },
});

export const faults: Readonly<Record<string, (shape: SpmmShape) => SpmmShape>> = {
  rows: (shape) => ({ ...shape, rows: shape.rows + 1 }),
  features: (shape) => ({
    ...shape,
    features: shape.features - 1,
    waves: Math.min(wavesOf(shape), shape.features - 1),
    ends: endsOf(shape).slice(0, shape.features - 1),
  }),
  // Sums of one more feature at the end are left out, where there may be.
  waves: (shape) => {
    const waves = wavesOf(shape) - 1;
    const isAllowed = waves > 0 && shape.features - waves <= shape.accumulators;
    return isAllowed ? { ...shape, waves, ends: endsOf(shape).slice(0, waves) } : shape;
  },
  ends: (shape) => ({ ...shape, ends: endsOf(shape).map((end) => (end + 1) % shape.cols) }),
  tokens: (shape) => ({ ...shape, tokens: shape.tokens + 1 }),
  nnz: (shape) => ({ ...shape, nnz: shape.nnz.map((count, i) => (i === shape.nnz.length >> 1 ? count + 1 : count)) }),
  accumulators: (shape) => ({ ...shape, accumulators: shape.accumulators + 1 }),
  gap: (shape) => ({ ...shape, gap: [shape.gap[0] + 1, shape.gap[1]] }),
  axpyOverhead: (shape) => ({ ...shape, axpyOverhead: shape.axpyOverhead + 1 }),
  controlSlots: (shape) => ({ ...shape, controlSlots: shape.controlSlots + 1 }),
  simd: (shape) => ({ ...shape, simd: shape.simd + 1 }),
  psumPerWavelet: (shape) => ({ ...shape, psumPerWavelet: shape.psumPerWavelet + 1 }),
  rampLatency: latency('rampLatency'),
  routerBuffer: latency('routerBuffer'),
  inputQueue: latency('inputQueue'),
  outputQueue: latency('outputQueue'),
  creditLatency: latency('creditLatency'),
  resultLatency: latency('resultLatency'),
};
