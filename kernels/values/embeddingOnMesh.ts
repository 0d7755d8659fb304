// Token and position embeddings with values on a mesh. Token a of row r within its sequence of R rows is position
// r + a * R; positions beyond the sequence are padding, with a zero row for a token.

import { columnOf } from '../../emulator/program/ring.ts';
import { rowStream, type RowStreamShape, tableWavelets } from '../rowStream.ts';
import { streamGap } from '../edge.ts';
import type { MeshRun } from './meshRun.ts';

export interface EmbeddingOnMesh {
  /** [vocab_size][width] and [block_size][width]. */
  readonly wte: Float32Array;
  readonly wpe: Float32Array;
  readonly width: number;
  /** Tokens of each sequence. */
  readonly idx: readonly (readonly number[])[];
  readonly rowsPerSequence: number;
  readonly tokens: number;
  readonly output: number;
}

export function embeddingOnMesh(mesh: MeshRun, embedding: EmbeddingOnMesh): void {
  const { machine, rows, cols } = mesh;
  const { wte, wpe, width, idx, rowsPerSequence: R, tokens, output } = embedding;
  const features = Math.ceil(width / cols);
  const perToken = Math.ceil(features / 2);
  const gap = streamGap(machine, cols);
  const at = { output };
  /** Feature `local` of column x in row `row` of a table; 0 beyond the table's width and where there is no row. */
  const entry = (table: Float32Array, row: number | undefined, p: number, local: number): number => {
    const k = local * cols + p;
    return row === undefined || k >= width ? 0 : table[row * width + k];
  };
  const byColumn = (length: number, table: Float32Array, rowOf: (i: number) => number | undefined): Int32Array[] => {
    const streams: Int32Array[] = [];
    for (let p = 0; p < cols; p++)
      streams[columnOf(p, cols)] = tableWavelets(length, features, (i, local) => entry(table, rowOf(i), p, local));
    return streams;
  };

  const tokenAt = (i: number): number | undefined => {
    const y = Math.floor(i / tokens);
    return idx[Math.floor(y / R)].at((y % R) + (i % tokens) * R);
  };
  const common = { kernel: 'rowStream', rows, cols, tokens, perToken, gap } as const;
  const token: RowStreamShape = { ...common, total: rows * tokens * perToken, order: { by: 'tokens' } };
  const ofTokens = byColumn(rows * tokens, wte, tokenAt);
  mesh.run('wte', (memory) =>
    rowStream.program(token, machine, { ...memory, at, mode: 'store', features, wavelets: ofTokens }),
  );

  const length = R * tokens;
  const order = { by: 'positions', rowsPerSequence: R } as const;
  const position: RowStreamShape = { ...common, total: length * perToken, order };
  const ofPositions = byColumn(length, wpe, (i) => (i * width < wpe.length ? i : undefined));
  mesh.run('wpe', (memory) =>
    rowStream.program(position, machine, { ...memory, at, mode: 'add', features, wavelets: ofPositions }),
  );
}
