// The time of a columnReduce in closed form. The edge lets wavelet k in at ceil(k * gap), so row 0 has its slot k at
// s(k) = ceil(k * gap) + 1 + rampLatency, and row r at s(k) + r * lead: wherever buffers hold enough for this pace, nobody
// is ever held up, because every row takes a wavelet as soon as it is there and an entry is free again in time.
//
// Enough: an entry of a router buffer is taken for 1 + creditLatency cycles, one of an input queue for rampLatency +
// creditLatency, and one of an output queue for resultLatency + rampLatency + creditLatency; of any n wavelets in a row the
// first and the one after the last start at least floor(n * gap) cycles apart.

import { latenciesOf, type Latencies, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../emulator/program/causes.ts';
import { type ColumnReduceShape, rowLead } from './columnReduce.ts';

export interface ColumnReduceTime {
  readonly cycles: number;
  /** Of a PE in row y, which is the same in all columns. */
  readonly where: (y: number) => Int32Array;
  /** Over all PEs, in the order of CAUSES. */
  readonly totals: Float64Array;
}

/** undefined where buffers may hold wavelets up: the program has to be run. */
export function columnReduceTime(shape: ColumnReduceShape, machine: Machine): ColumnReduceTime | undefined {
  const { rows, cols, wavelets, gap } = shape;
  const latencies = latenciesOf(machine);
  if (!keepsPace(latencies, shape)) return undefined;
  const lead = rowLead(machine);
  const last = Math.ceil(((wavelets - 1) * gap[0]) / gap[1]) + 1 + latencies.rampLatency;
  const cycles = last + (rows - 1) * lead + 1;
  const where = (y: number): Int32Array => {
    const counts = new Int32Array(CAUSE_COUNT);
    counts[CAUSE.reduce] = wavelets;
    counts[y === 0 ? CAUSE.waitWeights : CAUSE.waitPartial] = last + y * lead + 1 - wavelets;
    counts[CAUSE.done] = (rows - 1 - y) * lead;
    return counts;
  };
  const totals = new Float64Array(CAUSE_COUNT);
  for (let y = 0; y < rows; y++)
    where(y).forEach((count, cause) => {
      totals[cause] += cols * count;
    });
  return { cycles, where, totals };
}

function keepsPace(latencies: Latencies, { gap: [numerator, denominator] }: ColumnReduceShape): boolean {
  const { rampLatency, routerBuffer, inputQueue, outputQueue, creditLatency, resultLatency } = latencies;
  const apart = (wavelets: number): number => Math.floor((wavelets * numerator) / denominator);
  return (
    apart(routerBuffer) >= 1 + creditLatency &&
    apart(inputQueue) >= rampLatency + creditLatency &&
    apart(outputQueue) >= resultLatency + rampLatency + creditLatency
  );
}
