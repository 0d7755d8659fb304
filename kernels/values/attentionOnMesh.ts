// One attention with values on a mesh: sequences on `rowsPerSequence` rows each, one after the other, and all heads side
// by side. Keys and values lie one after the other and are worked on where they are: the block that arrives goes to the
// other of two places.

import { attentionGather } from '../attention/gather.ts';
import { attentionNormalise } from '../attention/normalise.ts';
import { attentionScores } from '../attention/scores.ts';
import { attentionSoftmax } from '../attention/softmax.ts';
import { attentionStart, attentionStartCode } from '../attention/start.ts';
import {
  type AttentionCase,
  attentionEnd,
  attentionRotation,
  attentionShift,
  layoutOf,
  rowsPerSequence,
  type TileShape,
} from '../attention/steps.ts';
import { attentionValues } from '../attention/values.ts';
import { local } from '../local.ts';
import { ringShift } from '../ringShift.ts';
import type { MeshRun } from './meshRun.ts';

/** Words of each part in a PE; queries and the output take `vector` words, keys and values twice that. */
export interface AttentionAt {
  readonly queries: number;
  readonly keysAndValues: number;
  readonly arriving: number;
  readonly tile: number;
  readonly output: number;
  readonly alpha: number;
  readonly maximum: number;
  readonly sum: number;
}

/** Words of each part, in the order of memory: keys and values follow the queries, as one matrix streams all three. */
export function attentionWords(attention: AttentionCase): Record<keyof AttentionAt, number> {
  const { tokens, keyBlock } = attention;
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const vector = headsPerColumn * features * tokens;
  const kept = headsPerColumn * Math.ceil(tokens / headCols);
  return {
    queries: vector,
    keysAndValues: 2 * vector,
    arriving: 2 * vector,
    tile: headsPerColumn * Math.min(keyBlock, tokens) * tokens,
    output: vector,
    alpha: headsPerColumn * tokens,
    maximum: kept,
    sum: kept,
  };
}

export function attentionOnMesh(mesh: MeshRun, name: string, attention: AttentionCase, at: AttentionAt): void {
  const { machine, rows, cols } = mesh;
  const layout = layoutOf(attention);
  const { tokens } = attention;
  const ring = rowsPerSequence(attention);
  const vector = attentionWords(attention).queries;
  const extent = { rows, cols, groups: layout.groups };

  const start = { ...attentionStart(layout, tokens, machine), rows, cols };
  const code = attentionStartCode(layout, tokens, at);
  mesh.run(`${name}.start`, (memory) => local.program(start, machine, { ...memory, code }));
  let [here, arriving] = [at.keysAndValues, at.arriving];
  for (let rotation = 0; rotation < ring; rotation++) {
    const block = { ...at, keys: here, values: here + vector, rotation, rowsPerSequence: ring };
    for (const shape of attentionRotation(attention)) tileOnMesh(mesh, name, { ...shape, ...extent }, block);
    if (rotation + 1 === ring) break;
    const shift = { ...attentionShift(attention), ringsX: cols, ringsY: rows / ring };
    const move = { at: { source: here, destination: arriving }, count: 2 * vector };
    mesh.run(`${name}.shift`, (memory) => ringShift.program(shift, machine, { ...memory, ...move }));
    [here, arriving] = [arriving, here];
  }
  const end = { ...attentionEnd(attention), ...extent };
  const inverse = { sum: at.sum, inverse: at.alpha, output: at.output };
  mesh.run(`${name}.normalise`, (memory) => attentionNormalise.program(end, machine, { ...memory, at: inverse }));
}

interface Block extends AttentionAt {
  readonly keys: number;
  readonly values: number;
  readonly rotation: number;
  readonly rowsPerSequence: number;
}

function tileOnMesh(mesh: MeshRun, name: string, shape: TileShape, at: Block): void {
  const { machine } = mesh;
  const { rotation, rowsPerSequence } = at;
  const step = `${name}.${shape.kernel}`;
  switch (shape.kernel) {
    case 'attentionScores':
      mesh.run(step, (memory) => attentionScores.program(shape, machine, { ...memory, at }));
      return;
    case 'attentionSoftmax':
      mesh.run(step, (memory) =>
        attentionSoftmax.program(shape, machine, { ...memory, at, rotation, rowsPerSequence }),
      );
      return;
    case 'attentionGather':
      mesh.run(step, (memory) => attentionGather.program(shape, machine, { ...memory, at }));
      return;
    case 'attentionValues':
      mesh.run(step, (memory) => attentionValues.program(shape, machine, { ...memory, at }));
  }
}
