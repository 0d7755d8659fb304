// Hops by the routes of a program against the wavelets that the stepped engine puts into buffers of routers.

import { expect, test } from 'vitest';
import { EmulateError, EXIT } from '../../../emulator/errors.ts';
import type { Latencies } from '../../../emulator/machine/spec.ts';
import type { FabricProgram } from '../../../emulator/program/fabric.ts';
import { hopsOf } from '../../../emulator/program/hops.ts';
import { record } from '../../../emulator/stepped/recording.ts';
import { axpyElementSlots } from '../../../emulator/streamed/shape.ts';
import { spmmProgram } from '../../../kernels/spmm/program.ts';
import { foldedHops, rowTraffic } from '../../../run/stepTiming.ts';
import { draws } from '../../fixtures/draws.ts';
import { flowProgram } from '../../fixtures/flows.ts';
import { anyLatencies } from '../../fixtures/machines.ts';
import { spmmCase } from '../../fixtures/spmmCases.ts';

/** Wavelets that came into a router's buffer from another router; undefined where the program does not end. */
function recorded(program: FabricProgram, latencies: Latencies): number | undefined {
  const pes = Array.from({ length: program.width * program.height }, (_, pe) => pe);
  const { isEnded, pes: seen } = record(program, latencies, { pes, span: { from: 0, until: 1e6 }, most: 1e7 });
  if (!isEnded) return undefined;
  let filled = 0;
  for (const { buffers } of seen)
    for (const { kind, runs } of buffers)
      if (kind === 'router') for (const run of runs) if (run.isFilled) filled += run.until - run.from;
  return filled - program.streams.reduce((sum, { control }) => sum + control.length, 0);
}

/** undefined in a deadlock. */
function ofEnded(program: FabricProgram, latencies: Latencies): number | undefined {
  try {
    return recorded(program, latencies);
  } catch (error) {
    if (error instanceof EmulateError && error.code === EXIT.deadlock) return undefined;
    throw error;
  }
}

test('of random programs', () => {
  let compared = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const program = flowProgram(seed);
    const hops = ofEnded(program, anyLatencies(draws(seed)));
    if (hops === undefined) continue;
    expect(hopsOf(program), `seed ${seed}`).toBe(hops);
    compared++;
  }
  expect(compared).toBeGreaterThan(30);
});

test('of matmuls on several rows, and those that follow from one row', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const shape = spmmCase(seed);
    const program = spmmProgram(shape);
    expect(hopsOf(program), `seed ${seed}`).toBe(recorded(program, shape.latencies));
    const weights = shape.nnz.reduce((sum, count) => sum + count, 0);
    const row = rowTraffic(shape, weights * axpyElementSlots(shape));
    expect(foldedHops(row, shape.rows), `seed ${seed}`).toBe(hopsOf(program));
    expect(row.entering).toBe(program.streams.reduce((sum, { control }) => sum + control.length, 0));
  }
});
