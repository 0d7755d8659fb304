// The gradient of one attention with values on a mesh, after attentionOnMesh has left its queries, keys, values, output,
// maxima and reciprocal sums there. A block that rotates is four vectors: keys, values, and the gradients by both; the
// block that arrives goes to the other of two places.

import {
  attentionBackwardDelta,
  attentionBackwardEnd,
  attentionBackwardRotation,
  attentionBackwardShift,
  attentionBackwardStart,
  type BackwardTileShape,
} from '../attention/backwardSteps.ts';
import { attentionDelta } from '../attention/delta.ts';
import { attentionGatherBoth } from '../attention/gatherBoth.ts';
import { attentionGradients } from '../attention/gradients.ts';
import { attentionScores } from '../attention/scores.ts';
import { attentionSoftmaxBackward } from '../attention/softmaxBackward.ts';
import { type AttentionCase, attentionShift, layoutOf, rowsPerSequence } from '../attention/steps.ts';
import { scaleCode } from '../elementwise.ts';
import { local } from '../local.ts';
import { ringShift, type RingShiftShape } from '../ringShift.ts';
import { type AttentionAt, attentionWords } from './attentionOnMesh.ts';
import type { MeshRun } from './meshRun.ts';

/** Those of attentionOnMesh, and the gradients by the output and the queries, a second tile, and delta. */
export type AttentionBackwardAt = AttentionAt & Record<'byOutput' | 'byQueries' | 'tileGradients' | 'delta', number>;

export function attentionBackwardWords(attention: AttentionCase): Record<keyof AttentionBackwardAt, number> {
  const words = attentionWords(attention);
  const vector = words.queries;
  return {
    ...words,
    keysAndValues: 4 * vector,
    arriving: 4 * vector,
    byOutput: vector,
    byQueries: vector,
    tileGradients: words.tile,
    delta: words.alpha,
  };
}

/**
 * Returns the first word of the gradients by queries, keys and values, one after the other as one matrix made all three: that
 * by the queries takes the place of the values, which came before the two.
 */
export function attentionBackwardOnMesh(
  mesh: MeshRun,
  name: string,
  attention: AttentionCase,
  at: AttentionBackwardAt,
): number {
  const { machine, rows, cols } = mesh;
  const { groups, headDim } = layoutOf(attention);
  const ring = rowsPerSequence(attention);
  const vector = attentionWords(attention).queries;
  const extent = { rows, cols, groups };
  // As often as forward has shifted, its two places have changed roles.
  let [here, arriving] = ring % 2 === 1 ? [at.keysAndValues, at.arriving] : [at.arriving, at.keysAndValues];
  const shift = (shape: RingShiftShape, first: number, vectors: number): void => {
    if (ring === 1) return;
    const move = {
      at: { source: here + first * vector, destination: arriving + first * vector },
      count: vectors * vector,
    };
    const rings = { ...shape, ringsX: cols, ringsY: rows / ring };
    mesh.run(`${name}.shift`, (memory) => ringShift.program(rings, machine, { ...memory, ...move }));
    [here, arriving] = [arriving, here];
  };

  shift(attentionShift(attention), 0, 2);
  const start = { ...attentionBackwardStart(attention, machine), rows, cols };
  const clear = (memory: Float32Array, base: number): number => {
    memory.fill(0, base + at.byQueries, base + at.byQueries + vector);
    memory.fill(0, base + here + 2 * vector, base + here + 4 * vector);
    return 0;
  };
  mesh.run(`${name}.start`, (memory) => local.program(start, machine, { ...memory, code: clear }));
  const delta = { ...attentionBackwardDelta(attention), ...extent };
  const products = { gradient: at.byOutput, output: at.output, delta: at.delta };
  mesh.run(`${name}.delta`, (memory) => attentionDelta.program(delta, machine, { ...memory, at: products }));
  for (let rotation = 0; rotation < ring; rotation++) {
    const block = { ...at, block: here, vector, rotation, rowsPerSequence: ring };
    for (const { shape, part } of attentionBackwardRotation(attention))
      tileOnMesh(mesh, `${name}.${part}`, { ...shape, ...extent }, part === 'values', block);
    if (rotation + 1 < ring) shift(attentionBackwardShift(attention), 0, 4);
  }
  shift(attentionShift(attention), 2, 2);
  const end = { ...attentionBackwardEnd(attention, machine), rows, cols };
  const code = scaleCode({ input: at.byQueries, output: here + vector, count: vector }, 1 / Math.sqrt(headDim));
  mesh.run(`${name}.end`, (memory) => local.program(end, machine, { ...memory, code }));
  return here + vector;
}

interface Block extends AttentionBackwardAt {
  /** First word of keys, values and their gradients, `vector` words each. */
  readonly block: number;
  readonly vector: number;
  readonly rotation: number;
  readonly rowsPerSequence: number;
}

function tileOnMesh(mesh: MeshRun, name: string, shape: BackwardTileShape, ofValues: boolean, at: Block): void {
  const { machine } = mesh;
  const { rotation, rowsPerSequence, tile, tileGradients, maximum, delta, block, vector } = at;
  const [keys, values, byKeys, byValues] = [0, 1, 2, 3].map((i) => block + i * vector);
  switch (shape.kernel) {
    case 'attentionScores': {
      const operands = ofValues
        ? { queries: at.byOutput, keys: values, tile: tileGradients }
        : { queries: at.queries, keys, tile };
      mesh.run(`${name}.scores`, (memory) => attentionScores.program(shape, machine, { ...memory, at: operands }));
      return;
    }
    case 'attentionSoftmaxBackward': {
      const operands = { tile, gradients: tileGradients, maximum, inverse: at.alpha, delta };
      mesh.run(`${name}.gradient`, (memory) =>
        attentionSoftmaxBackward.program(shape, machine, { ...memory, at: operands, rotation, rowsPerSequence }),
      );
      return;
    }
    case 'attentionGatherBoth': {
      const operands = { tile, gradients: tileGradients };
      mesh.run(`${name}.gather`, (memory) => attentionGatherBoth.program(shape, machine, { ...memory, at: operands }));
      return;
    }
    case 'attentionGradients': {
      const { queries, byOutput, byQueries } = at;
      const operands =
        shape.of === 'values'
          ? { tile, queries: byOutput, keys, byKeys: byValues, byQueries }
          : { tile: tileGradients, queries, keys, byKeys, byQueries };
      mesh.run(`${name}.gradients`, (memory) =>
        attentionGradients.program(shape, machine, { ...memory, at: operands }),
      );
    }
  }
}
