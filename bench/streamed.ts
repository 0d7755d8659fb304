// The streamed engine at full size: one matmul of 12288 x 12288 on a whole wafer of 994 rows. The mask is made and counted,
// which no engine can do without: that is the floor. The engine comes on top. "Equivalent" PE-cycles are those that the
// stepped engine would have run for the same counts.

import { lookaheadRow } from '../emulator/streamed/lookahead/row.ts';
import { closedRow, tokenRow, whyNotClosed } from '../emulator/streamed/row.ts';
import { foldedCycles } from '../emulator/streamed/fold.ts';
import { countCells, sharedRoom } from '../kernels/spmm/counts.ts';
import { host, measure, milliseconds, table } from './measure.ts';
import { type Matmul, placedWeights, shapeOf } from './spmmShape.ts';

const RUNS = 5;
const WAFER_COLUMNS = 750;
const square = { out: 12_288, in: 12_288, rows: 994 };
const usual = [0, 0.5, 0.75, 0.9];
const mappings = [
  { cols: 96, tokens: 64, accumulators: 2, sparsities: usual },
  { cols: 256, tokens: 128, accumulators: 2, sparsities: usual },
  { cols: 750, tokens: 64, accumulators: 2, sparsities: usual },
  // Weights come late: where many columns share the edge, or hardly any weight is left.
  { cols: 750, tokens: 32, accumulators: 2, sparsities: [0.5, 0.75, 0.9] },
  { cols: 750, tokens: 64, accumulators: 2, sparsities: [0.95, 0.99] },
  // As in decoding: features shorter than the buffers.
  { cols: 96, tokens: 8, accumulators: 8, sparsities: usual },
  { cols: 96, tokens: 1, accumulators: 8, sparsities: usual },
  { cols: 750, tokens: 8, accumulators: 8, sparsities: [0.75, 0.9] },
];

function row(matmul: Matmul): string[] {
  const { cols, tokens, accumulators, sparsity, rows, out } = matmul;
  const weights = placedWeights(matmul);
  const counting = measure(RUNS, () => countCells(weights, cols, sharedRoom));
  const shape = shapeOf(matmul, counting.result);
  let path = 'closed form';
  const short = whyNotClosed(shape) !== undefined;
  if (short) path = 'lookahead';
  const engine = measure(RUNS, () => {
    if (short) return lookaheadRow(shape);
    const closed = closedRow(shape);
    if (closed === undefined) path = 'token level';
    return closed ?? tokenRow(shape);
  });
  const both = counting.median + engine.median;
  const cycles = foldedCycles(engine.result.cycles, rows);
  const peCycles = cycles * rows * cols * Math.floor(WAFER_COLUMNS / cols);
  return [
    `C = ${cols}, T = ${tokens}, K = ${accumulators}`,
    `${sparsity * 100} %`,
    String(cycles),
    path,
    milliseconds(counting.median),
    milliseconds(engine.median),
    `${Math.round((100 * counting.median) / both)} %`,
    ((engine.median * 1e9) / (out * cols)).toFixed(1),
    String(Number((peCycles / both / 1e12).toPrecision(3))),
  ];
}

const rows = mappings.flatMap(({ sparsities, ...mapping }) =>
  sparsities.map((sparsity) => row({ ...square, ...mapping, sparsity })),
);

console.log(`Streamed engine, matmul 12288 x 12288 on 994 rows, one thread; ${host()}\n`);
console.log(
  table(
    [
      'mapping',
      'sparsity',
      'cycles',
      'path',
      'mask and counts, ms',
      'engine, ms',
      'floor share',
      'engine, ns a cell',
      'equivalent PE-cycles a second, 10^12',
    ],
    rows,
  ),
);
