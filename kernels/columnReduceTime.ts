// The time of a columnReduce in closed form. The edge lets wavelet k in at ceil(k * gap), so row 0 has its slot k at
// s(k) = ceil(k * gap) + 1 + rampLatency, and row r at s(k) + r * lead: wherever buffers hold enough for this pace, nobody
// is ever held up, because every row takes a wavelet as soon as it is there and an entry is free again in time.
//
// Enough: an entry of a router buffer is taken for 1 + creditLatency cycles, one of an input queue for rampLatency +
// creditLatency, and one of an output queue for resultLatency + rampLatency + creditLatency; of any n wavelets in a row the
// first and the one after the last start at least floor(n * gap) cycles apart.

import { MOST_CYCLES, tooLong } from '../emulator/errors.ts';
import { assertCauses, assertLink, type Lawful } from '../emulator/laws.ts';
import { latenciesOf, type Latencies, type Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../emulator/program/causes.ts';
import { type ColumnReduceShape, rowLead } from './columnReduce.ts';

export interface ColumnReduceTime {
  readonly cycles: number;
  /** CAUSE_COUNT counts a PE, of one column from north to south; all columns do the same. */
  readonly where: Int32Array;
}

/** undefined where buffers may hold wavelets up: the program has to be run. */
export function columnReduceTime(shape: ColumnReduceShape, machine: Machine): Lawful<ColumnReduceTime> | undefined {
  const { rows, wavelets, gap } = shape;
  const latencies = latenciesOf(machine);
  if (!keepsPace(latencies, shape)) return undefined;
  const lead = rowLead(machine);
  const last = Math.ceil(((wavelets - 1) * gap[0]) / gap[1]) + 1 + latencies.rampLatency;
  const cycles = last + (rows - 1) * lead + 1;
  if (cycles > MOST_CYCLES) throw tooLong('columnReduce', cycles);
  const where = new Int32Array(rows * CAUSE_COUNT);
  for (let y = 0; y < rows; y++) {
    const counts = y * CAUSE_COUNT;
    where[counts + CAUSE.reduce] = wavelets;
    where[counts + (y === 0 ? CAUSE.waitWeights : CAUSE.waitPartial)] = last + y * lead + 1 - wavelets;
    where[counts + CAUSE.done] = (rows - 1 - y) * lead;
  }
  const time = { cycles, where };
  assertCauses('columnReduce', time, (y) => `PE (0,${y})`);
  assertLink('columnReduce', 'each link south', wavelets, cycles);
  return time;
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
