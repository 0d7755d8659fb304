// The pace of streams at the edge. The wafer takes in a fixed number of wavelets a cycle, shared by all streams in
// flight; copies of a stream for several groups are made at the edge and cost nothing there.

import { edgeWaveletsPerCycle, type Machine } from '../emulator/machine/spec.ts';

/** Cycles between two wavelets of a stream, as a fraction >= 1. */
export type Gap = readonly [numerator: number, denominator: number];

/** `streams` different streams, `perWavelet` of whose wavelets pass the edge in one (2 for dense fp16 weights). */
export function streamGap(machine: Machine, streams: number, perWavelet: 1 | 2 = 1): Gap {
  const edge = edgeWaveletsPerCycle(machine) * perWavelet;
  return streams > edge ? [streams, edge] : [1, 1];
}
