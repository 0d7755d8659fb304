// The two closed forms that were checked on a CS-2 (Luczynski et al., "Near-Optimal Wafer-Scale Reduce", HPDC 2024) follow
// from the rules: routes and threads written out here, none of the kernels used.

import { describe, expect, test } from 'vitest';
import { PORT, type Route } from '../../../emulator/program/fabric.ts';
import type { Instruction } from '../../../emulator/program/instruction.ts';
import { runStepped } from '../../../emulator/stepped/engine.ts';
import { runDataflow } from '../../../emulator/streamed/dataflow.ts';
import { WSE2 } from '../../fixtures/machines.ts';
import { eastward, programOf } from '../../fixtures/program.ts';

const sizes = [2, 3, 5, 16, 64].flatMap((pes) => [1, 2, 7, 100].map((wavelets) => [wavelets, pes] as const));

/** Every PE adds what comes from the west to its own and sends it on; neighbours use two colors in turn. */
function chainReduce(wavelets: number, pes: number) {
  const routes: Route[] = [];
  const threads: Record<string, Instruction[][]> = {};
  for (let x = 0; x < pes; x++) {
    const [into, out] = [(x + 1) % 2, x % 2];
    if (x > 0) routes.push({ x, y: 0, color: into, from: PORT.W, to: [PORT.R] });
    if (x < pes - 1) routes.push({ x, y: 0, color: out, from: PORT.R, to: [PORT.E] });
    threads[`${x},0`] = [
      [{ slots: wavelets, ...(x > 0 ? { input: into } : {}), ...(x < pes - 1 ? { output: out } : {}) }],
    ];
  }
  return programOf({ width: pes, routes, threads });
}

/** The first PE sends, every other one takes a copy while the wavelets go by. */
function broadcast(wavelets: number, pes: number) {
  const others = Array.from({ length: pes - 1 }, (_, i) => i + 1);
  const receive: Instruction[][] = [[{ slots: wavelets, input: 0 }]];
  return programOf({
    width: pes,
    routes: eastward(0, others, { from: PORT.R }),
    threads: {
      '0,0': [[{ slots: wavelets, output: 0 }]],
      ...Object.fromEntries(others.map((x) => [`${x},0`, receive])),
    },
  });
}

describe.each([
  ['stepped', runStepped],
  ['dataflow', runDataflow],
] as const)('%s', (_, run) => {
  test.each(sizes)('a chain reduce of %i wavelets over %i PEs takes B + 6(P - 1) cycles', (wavelets, pes) => {
    expect(run(chainReduce(wavelets, pes), WSE2)?.cycles).toBe(wavelets + 6 * (pes - 1));
  });

  test.each(sizes)('a broadcast of %i wavelets over %i PEs takes B + P + 4 cycles', (wavelets, pes) => {
    expect(run(broadcast(wavelets, pes), WSE2)?.cycles).toBe(wavelets + pes + 4);
  });
});
