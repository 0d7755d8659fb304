// The sparse matmul against the vectors of the machine: cycles, and where every cycle of every PE went. The rules were
// implemented apart from this repository to make them.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { CAUSES } from '../../../emulator/program/causes.ts';
import { spmmWhere, timeSpmm } from '../../../kernels/spmm/time.ts';

const whole = z.int().min(0);
const latencies = z.strictObject({
  rampLatency: whole,
  routerBuffer: whole,
  inputQueue: whole,
  outputQueue: whole,
  creditLatency: whole,
  resultLatency: whole,
});
const spmmVector = z.object({
  kernel: z.literal('spmm'),
  machine: latencies,
  rows: whole,
  cols: whole,
  tokens: whole,
  nnz: z.array(z.array(whole)),
  accumulators: whole,
  gap: z.tuple([whole, whole]),
  axpyOverhead: whole,
  controlSlots: whole,
  simd: whole,
  psumPerWavelet: whole,
  cycles: whole,
  where: z.array(z.record(z.enum(CAUSES), whole)),
});

const file = new URL('../../vectors/machine-vectors.json', import.meta.url);
const { cases } = z.object({ cases: z.array(z.unknown()) }).parse(JSON.parse(readFileSync(file, 'utf8')));
const vectors = cases.flatMap((each) => spmmVector.safeParse(each).data ?? []);

test('the vectors hold 120 cases of the sparse matmul', () => expect(vectors).toHaveLength(120));

test.each(['stepped', 'auto'] as const)('the %s engine meets every vector', (engine) => {
  vectors.forEach((vector, i) => {
    const { machine, nnz, where, cycles, kernel, ...rest } = vector;
    const shape = { ...rest, features: nnz.length, nnz: Uint16Array.from(nnz.flat()), latencies: machine };
    const timing = timeSpmm(shape, engine);
    expect(timing.cycles, `${kernel} vector ${i}`).toBe(cycles);
    for (let p = 0; p < rest.cols; p++)
      for (let y = 0; y < rest.rows; y++)
        expect(spmmWhere(timing, p, y), `vector ${i}, position ${p}, row ${y}`).toEqual(where[p * rest.rows + y]);
  });
});
