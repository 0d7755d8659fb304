// A linear layer with values on a mesh: the sparse matmul streams the non-zeros of an fp16 weight matrix, feature by
// feature in the order that puts each output where its layout says; then the bias, if there is one, as an affine with
// scale 1. Every row of the mesh gets the same streams.

import { streamGap } from '../edge.ts';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { fp16Bits } from '../../emulator/numerics/fp16.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { affine, affineWavelet } from '../affine.ts';
import {
  featureCount,
  type Layout,
  localFeatures,
  featurePlaces,
  placesOf,
  type StreamOrder,
  streamOrder,
} from '../spmm/layout.ts';
import { spmmProgram, weightWavelet } from '../spmm/program.ts';
import type { MeshRun } from './meshRun.ts';

export interface LinearOnMesh {
  /** [out][in]. */
  readonly weight: Float32Array;
  /**
   * `weight` is [in][out] instead, as for the gradient by the activation of a layer that has it as [out][in]. Each copy of
   * an input feature brings its own gradient.
   */
  readonly transposed?: true;
  readonly bias: Float32Array | null;
  readonly input: Layout;
  readonly output: Layout;
  readonly tokens: number;
  readonly accumulators: number;
  /** First words of the operands; the sums are [accumulators][tokens] zeros. */
  readonly at: { readonly input: number; readonly output: number; readonly sums: number };
}

export function linearOnMesh(mesh: MeshRun, name: string, layer: LinearOnMesh): void {
  const { machine, rows, cols } = mesh;
  const { tokens, accumulators, at, output } = layer;
  const { axpyOverhead, controlSlots, simdFp16 } = machine.core;
  const { order, nnz, weights, dense } = weightStreams(layer, cols);
  const shape = {
    rows,
    cols,
    features: order.rows.length,
    tokens,
    nnz,
    ends: order.ends,
    accumulators,
    gap: streamGap(machine, cols, dense ? 2 : 1),
    axpyOverhead,
    controlSlots,
    simd: simdFp16,
    psumPerWavelet: 2,
    latencies: latenciesOf(machine),
  };
  mesh.run(name, (memory) =>
    spmmProgram(shape, {
      ...memory,
      inputAt: at.input,
      outputAt: at.output,
      outputLocal: order.locals,
      sumsAt: at.sums,
      weights,
    }),
  );
  if (layer.bias === null) return;
  affineOnMesh(mesh, `${name}.bias`, {
    layout: output,
    scale: null,
    shift: layer.bias,
    tokens,
    at: { input: at.output, output: at.output },
  });
}

interface WeightStreams {
  readonly order: StreamOrder;
  readonly nnz: Uint16Array;
  readonly weights: Int32Array[];
  /** Without a zero: weights need no index, so two of them pass the edge as one wavelet. */
  readonly dense: boolean;
}

/** Non-zeros of each feature and ring position, and the wavelets of each ring position, in stream order. */
function weightStreams({ weight, transposed, input, output }: LinearOnMesh, cols: number): WeightStreams {
  const order = streamOrder(output, cols);
  const places = featurePlaces(input, cols);
  const inputs = featureCount(input);
  const outputs = weight.length / inputs;
  const nnz = new Uint16Array(order.rows.length * cols);
  const weights = Array.from({ length: cols }, (): number[] => []);
  let dense = true;
  order.rows.forEach((row, n) => {
    if (row < 0) return;
    for (const { feature, position, local } of places) {
      const bits = fp16Bits(weight[transposed ? feature * outputs + row : row * inputs + feature]);
      if (isZero(bits)) {
        dense = false;
        continue;
      }
      nnz[n * cols + position]++;
      weights[position].push(weightWavelet(bits, local));
    }
  });
  return { order, nnz, weights: weights.map((each) => Int32Array.from(each)), dense };
}

/** Is a weight of these fp16 bits not streamed? */
export function isZero(bits: number): boolean {
  return (bits & 0x7fff) === 0;
}

export interface AffineOnMesh {
  readonly layout: Layout;
  /** By feature; `null` is 1. */
  readonly scale: Float32Array | null;
  readonly shift: Float32Array;
  readonly tokens: number;
  readonly at: { readonly input: number; readonly output: number };
}

/** Padding is scaled by 1 and shifted by 0. */
export function affineOnMesh(mesh: MeshRun, name: string, step: AffineOnMesh): void {
  const { machine, rows, cols } = mesh;
  const { layout, scale, shift, tokens, at } = step;
  const features = localFeatures(layout, cols);
  const places = placesOf(layout, cols);
  const wavelets = Array.from({ length: cols }, () => new Int32Array(features).fill(affineWavelet(1, 0)));
  places.forEach((feature, n) => {
    if (feature >= 0)
      wavelets[columnOf(n % cols, cols)][Math.floor(n / cols)] = affineWavelet(scale?.[feature] ?? 1, shift[feature]);
  });
  const shape = { kernel: 'affine', rows, cols, features, tokens, gap: streamGap(machine, cols) } as const;
  mesh.run(name, (memory) => affine.program(shape, machine, { ...memory, at, wavelets }));
}
