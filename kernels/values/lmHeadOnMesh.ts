// The LM head with values on a mesh: the vocabulary slice by slice, each slice's logits read out and taken into the
// running statistics, which the rows' last columns hold in the end.

import { columnOf } from '../../emulator/program/ring.ts';
import { logitMerge } from '../logitMerge.ts';
import { logitStats, LOWEST } from '../logitStats.ts';
import { placeOf as placeOfFeature } from '../spmm/layout.ts';
import { linearOnMesh } from './linearOnMesh.ts';
import type { MeshRun } from './meshRun.ts';

/** First words of: logits of a slice [F][T], each column's statistics [T], and the row's [T]. */
export type LmHeadAt = Record<
  'logits' | 'logitMaximum' | 'logitIndex' | 'logitSum' | 'row' | 'rowIndex' | 'sums',
  number
>;

export interface LmHeadOnMesh {
  /** [vocab_size][width]. */
  readonly weight: Float32Array;
  readonly width: number;
  readonly tokens: number;
  readonly accumulators: number;
  readonly slice: number;
  readonly at: LmHeadAt & { readonly input: number };
}

/** Where the tokens of the sequences lie. */
export interface TokenPlaces {
  readonly sequences: number;
  readonly length: number;
  readonly placeOf: (sequence: number, token: number) => { readonly y: number; readonly token: number };
}

/** Of a token: the largest logit, its index, and the sum of exp(logit - largest). */
export interface LogitStatistics {
  readonly max: number;
  readonly index: number;
  readonly sum: number;
}

export function lmHeadOnMesh(
  mesh: MeshRun,
  head: LmHeadOnMesh,
  places: TokenPlaces,
): { logits: Float32Array[]; statistics: LogitStatistics[][] } {
  const { machine, rows, cols } = mesh;
  const { weight, width, tokens, accumulators, slice, at } = head;
  const { sequences, length, placeOf } = places;
  const vocabulary = weight.length / width;
  const logits = Array.from({ length: sequences }, () => new Float32Array(length * vocabulary));
  const stats = { logits: at.logits, maximum: at.logitMaximum, index: at.logitIndex, sum: at.logitSum };
  for (let pe = 0; pe < rows * cols; pe++) {
    const first = pe * mesh.words + at.logitMaximum;
    mesh.memory.fill(LOWEST, first, first + tokens);
  }
  for (let first = 0; first < vocabulary; first += slice) {
    const count = Math.min(slice, vocabulary - first);
    const output = { kind: 'strided', features: count } as const;
    linearOnMesh(mesh, 'lm_head', {
      weight: weight.subarray(first * width, (first + count) * width),
      bias: null,
      input: { kind: 'strided', features: width },
      output,
      tokens,
      accumulators,
      at: { input: at.input, output: at.logits, sums: at.sums },
    });
    const shape = { kernel: 'logitStats', rows, cols, features: Math.ceil(count / cols), tokens } as const;
    mesh.run('lm_head.stats', (memory) => logitStats.program(shape, machine, { ...memory, at: stats, first, count }));
    const { position, local } = placeOfFeature(output, cols);
    logits.forEach((each, s) => {
      for (let t = 0; t < length; t++) {
        const { y, token } = placeOf(s, t);
        for (let n = 0; n < count; n++)
          each[t * vocabulary + first + n] = mesh.read(
            columnOf(position[n], cols),
            y,
            at.logits + local[n] * tokens + token,
          );
      }
    });
  }
  const shape = { kernel: 'logitMerge', rows, cols, tokens } as const;
  const rowAt = { ...stats, row: at.row, rowIndex: at.rowIndex };
  mesh.run('lm_head.merge', (memory) => logitMerge.program(shape, machine, { ...memory, at: rowAt }));
  const statistics = Array.from({ length: sequences }, (_, s) =>
    Array.from({ length }, (_, t) => {
      const { y, token } = placeOf(s, t);
      const read = (start: number): number => mesh.read(cols - 1, y, start + token);
      return { max: read(at.row), index: read(at.rowIndex), sum: read(at.logitSum) };
    }),
  );
  return { logits, statistics };
}
