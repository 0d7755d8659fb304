// The gradient by the weights of a linear layer with values on a mesh, only where they are not zero: chunk by chunk of
// output features, in the order in which the forward matmul streams them, the products of the tokens of each PE, and then
// their sums over the rows on the way out of the wafer. Every row of the mesh gets the same streams.

import { internalError } from '../../emulator/errors.ts';
import { fp16Bits, highHalf, lowHalf, single } from '../../emulator/numerics/fp16.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { columnReduce } from '../columnReduce.ts';
import { streamGap } from '../edge.ts';
import { featureCount, featurePlaces, type Layout, type StreamOrder, streamOrder } from '../spmm/layout.ts';
import { weightGradientProgram } from '../weightGradient/program.ts';
import { type Accumulate, gradientRow, indexGap, sumWavelets } from '../weightGradient/shape.ts';
import { isZero } from './linearOnMesh.ts';
import type { MeshRun } from './meshRun.ts';

export interface WeightGradientOnMesh {
  /** [out][in]. */
  readonly weight: Float32Array;
  /** As the forward matmul reads and leaves them. */
  readonly input: Layout;
  readonly output: Layout;
  readonly tokens: number;
  /** Gradients that a PE has room for. */
  readonly buffers: number;
  /** Output features of a chunk. */
  readonly features: number;
  readonly accumulate: Accumulate;
  /** First words of the input, the gradient by the output, [buffers][tokens] that arrive, and the sums. */
  readonly at: Readonly<Record<'input' | 'gradient' | 'arrived' | 'sums', number>>;
  /** Words for the sums and their count. */
  readonly room: number;
}

/** [out][in], zero where the weight is; of an output feature that has copies the sum over them. */
export function weightGradientOnMesh(mesh: MeshRun, name: string, layer: WeightGradientOnMesh): Float32Array {
  const gradient = new Float32Array(layer.weight.length);
  const order = streamOrder(layer.output, mesh.cols);
  for (let from = 0; from < order.rows.length; from += layer.features) {
    const chunk = chunkOf(layer, order, from, mesh.cols);
    const wavelets = sumWavelets(Math.max(1, ...chunk.weights.map((each) => each.length)), layer.accumulate);
    const words = 1 + (layer.accumulate === 'fp16' ? 2 : 1) * wavelets;
    if (words > layer.room) throw internalError(`sums of ${name} take ${words} words, there are ${layer.room}`);
    multiply(mesh, name, layer, chunk);
    const leaving = sumRows(mesh, name, layer, wavelets);
    chunk.weights.forEach((weights, p) => {
      const column = leaving[columnOf(p, mesh.cols)];
      weights.forEach((weight, i) => {
        gradient[weight] += sumOf(column, i, layer.accumulate);
      });
    });
  }
  return gradient;
}

interface Chunk {
  readonly owners: Uint16Array;
  readonly locals: Uint16Array;
  readonly nnz: Uint16Array;
  /** By ring position, in stream order: local index of the input feature, and the weight in the matrix. */
  readonly indices: readonly number[][];
  readonly weights: readonly number[][];
}

function chunkOf(
  { weight, input, features }: WeightGradientOnMesh,
  { rows, ends, locals }: StreamOrder,
  from: number,
  cols: number,
): Chunk {
  const until = Math.min(from + features, rows.length);
  const inputs = featureCount(input);
  const places = featurePlaces(input, cols);
  const nnz = new Uint16Array((until - from) * cols);
  const indices = Array.from({ length: cols }, (): number[] => []);
  const weights = Array.from({ length: cols }, (): number[] => []);
  for (let n = from; n < until; n++) {
    if (rows[n] < 0) continue;
    for (const { feature, position, local } of places) {
      const at = rows[n] * inputs + feature;
      if (isZero(fp16Bits(weight[at]))) continue;
      nnz[(n - from) * cols + position]++;
      indices[position].push(local);
      weights[position].push(at);
    }
  }
  return { owners: ends.slice(from, until), locals: locals.slice(from, until), nnz, indices, weights };
}

function multiply(mesh: MeshRun, name: string, layer: WeightGradientOnMesh, chunk: Chunk): void {
  const { machine, rows, cols } = mesh;
  const { tokens, buffers, accumulate, at } = layer;
  const { owners, locals, nnz, indices } = chunk;
  const gap = indexGap(machine, cols, !layer.weight.some((w) => isZero(fp16Bits(w))));
  const shape = gradientRow({ rows, cols, tokens, nnz, owners, buffers, gap, accumulate }, machine);
  for (let base = 0; base < mesh.memory.length; base += mesh.words) mesh.memory[base + at.sums] = 0;
  mesh.run(`${name}.products`, (memory) =>
    weightGradientProgram(shape, {
      ...memory,
      at,
      outputLocal: locals,
      indices: indices.map((each) => Int32Array.from(each)),
      accumulate,
    }),
  );
}

/** What leaves each column. */
function sumRows(
  mesh: MeshRun,
  name: string,
  { accumulate, at }: WeightGradientOnMesh,
  wavelets: number,
): Int32Array[] {
  const { machine, rows, cols } = mesh;
  const leaving = Array.from({ length: cols }, () => new Int32Array(wavelets));
  const shape = { kernel: 'columnReduce', rows, cols, wavelets, gap: streamGap(machine, cols) } as const;
  const order = { by: accumulate === 'fp16' ? 'pairs' : 'sums' } as const;
  mesh.run(`${name}.out`, (memory) =>
    columnReduce.program(shape, machine, { ...memory, at: at.sums + 1, order, leaving }),
  );
  return leaving;
}

function sumOf(column: Int32Array, i: number, accumulate: Accumulate): number {
  if (accumulate === 'fp32') return single(column[i]);
  return i % 2 === 0 ? lowHalf(column[i >> 1]) : highHalf(column[i >> 1]);
}
