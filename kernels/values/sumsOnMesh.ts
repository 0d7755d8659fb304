// Gradients of biases and gains with values on a mesh: sums over the tokens of each PE, and over the rows of each column on
// the way out of the wafer.

import { single } from '../../emulator/numerics/fp16.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import { columnReduce } from '../columnReduce.ts';
import { streamGap } from '../edge.ts';
import { featureSums, featureSumsCode, type SummedGradients, sumsOf } from '../featureSums.ts';
import { local } from '../local.ts';
import type { ParametersOf } from '../reference/gptBackward.ts';
import { featureCount, type Layout, localFeatures, placesOf } from '../spmm/layout.ts';
import type { MeshRun } from './meshRun.ts';

export interface SumsAt {
  readonly gradient: number;
  /** What the gain multiplied; of no use for a bias. */
  readonly normalised: number;
  /** Words for the sums, `sumsOf` times the local features. */
  readonly sums: number;
}

/** By feature: `weight` of the gain and `bias`, zeros where `of` has none. */
export function sumsOnMesh(
  mesh: MeshRun,
  name: string,
  of: SummedGradients,
  layout: Layout,
  tokens: number,
  at: SumsAt,
): ParametersOf<Float32Array> {
  const { machine, rows, cols } = mesh;
  const features = localFeatures(layout, cols);
  const shape = featureSums(of, { rows, cols, features, tokens }, machine);
  const code = featureSumsCode(of, { features, tokens }, at);
  mesh.run(`${name}.sums`, (memory) => local.program(shape, machine, { ...memory, code }));
  const wavelets = sumsOf(of) * features;
  const leaving = Array.from({ length: cols }, () => new Int32Array(wavelets));
  const out = { kernel: 'columnReduce', rows, cols, wavelets, gap: streamGap(machine, cols) } as const;
  mesh.run(`${name}.out`, (memory) =>
    columnReduce.program(out, machine, { ...memory, at: at.sums, order: { by: 'sums' }, leaving }),
  );
  const count = featureCount(layout);
  const gradients = { weight: new Float32Array(count), bias: new Float32Array(count) };
  placesOf(layout, cols).forEach((feature, place) => {
    if (feature < 0) return;
    const column = leaving[columnOf(place % cols, cols)];
    const index = Math.floor(place / cols);
    if (of !== 'bias') gradients.weight[feature] = single(column[index]);
    if (of !== 'gain') gradients.bias[feature] = single(column[wavelets - features + index]);
  });
  return gradients;
}
