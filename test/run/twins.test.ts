// Twins: each is what the stepped engine gives for the program with that effect taken away, and the same as a program that
// was made without it; which operators have which; and what bounds an operator by its prices.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program, StepShape } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import type { FabricProgram } from '../../emulator/program/fabric.ts';
import { hopsOf } from '../../emulator/program/hops.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { timingProgram } from '../../kernels/index.ts';
import type { SpmmShape } from '../../emulator/streamed/shape.ts';
import { balancedCells } from '../../kernels/spmm/balanced.ts';
import { countCells } from '../../kernels/spmm/counts.ts';
import { spmmProgram } from '../../kernels/spmm/program.ts';
import { timeSpmm } from '../../kernels/spmm/time.ts';
import { boundByTwins, boundCosts, priceOf } from '../../run/bound.ts';
import { runProgram } from '../../run/program.ts';
import { EFFECTS, type Twins } from '../../run/result.ts';
import { matmulShape } from '../../run/step.ts';
import { inProcessTimer, type Timer } from '../../run/timer.ts';
import { runTwins } from '../../run/twins.ts';
import { lateStreamCase, spmmCase } from '../fixtures/spmmCases.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';

const fabric = waferOf(13, 12);
/** A wavelet a cycle for all streams; slots and starts unlike those of the preset. */
const slow: Machine = {
  ...fabric,
  edge: { bitsPerSecond: 32 * fabric.clockHz },
  core: { ...fabric.core, axpyOverhead: 3, controlSlots: 3, kernelStart: 11 },
};

interface Drawn {
  readonly base: Readonly<Record<string, unknown>>;
  readonly sparsity: number;
  readonly machine: Machine;
  readonly C: number;
  readonly T: number;
  readonly K: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  base: fc.constantFrom(gptLike, llamaLike, gptJLike, { kind: 'matmul', in: 30, out: 41 }),
  sparsity: fc.constantFrom(0, 0.5, 0.9, 1),
  machine: fc.constantFrom(fabric, slow),
  C: fc.integer({ min: 1, max: 13 }),
  T: fc.integer({ min: 2, max: 9 }),
  K: fc.integer({ min: 1, max: 4 }),
});

/** With a machine that is not the one it is mapped for, where what is lowered differs. */
function programOf({ base, sparsity, machine, C, T, K }: Drawn, instead: Machine = machine): Program {
  const graph = graphOf({ ...base, sparsity }, 3, 13);
  const fit = fitMapping(graph, machine, anyMapping, { columns: C, tokensPerPe: T, accumulators: K });
  if (isMisfit(fit)) throw new Error(fit.what);
  return lower(placeGraph(graph, instead, fit));
}

async function twinsOf(program: Program, timer: Timer): Promise<Twins[]> {
  return runTwins(program, await runProgram(program, { timer }), { timer });
}

function issued(pe: readonly number[]): number {
  return pe[CAUSE.compute] + pe[CAUSE.overhead] + pe[CAUSE.reduce];
}

function enteringOf({ streams }: FabricProgram): number {
  return streams.reduce((sum, { control }) => sum + control.length, 0);
}

/** Every kernel as it is written in machine.md, cycle by cycle. */
const steppedTimer: Timer = {
  time: async (shape, machine) => {
    if (shape.kernel === 'weightGradient') throw new Error('no forward pass has one');
    const program = shape.kernel === 'spmm' ? spmmProgram(matmulShape(shape, machine)) : timingProgram(shape, machine);
    const { cycles, where } = runStepped(program, latenciesOf(machine));
    const pes = Array.from({ length: program.width * program.height }, (_, pe) =>
      Array.from(where.subarray(pe * CAUSE_COUNT, (pe + 1) * CAUSE_COUNT)),
    );
    const totals = pes.reduce((sum, counts) => sum.map((so, c) => so + counts[c]));
    const [fullest] = pes.toSorted((a, b) => issued(b) - issued(a));
    const slots = { compute: fullest[CAUSE.compute], overhead: fullest[CAUSE.overhead], reduce: fullest[CAUSE.reduce] };
    const traffic = { width: program.width, hops: hopsOf(program), entering: enteringOf(program), leaving: 0 };
    return { engine: 'stepped', path: 'stepped mesh', why: '', cycles, pes: pes.length, totals, slots, traffic };
  },
  close: () => Promise.resolve(),
};

test('every twin is what the stepped engine gives', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async (each) => {
      const program = programOf(each);
      expect(await twinsOf(program, inProcessTimer())).toEqual(await twinsOf(program, steppedTimer));
    }),
    { seed: 5, numRuns: 25 },
  );
});

async function cyclesOf(program: Program): Promise<number[]> {
  return (await runProgram(program, { timer: inProcessTimer() })).operators.map(({ cycles }) => cycles);
}

function withShapes(program: Program, change: (shape: StepShape) => StepShape): Program {
  const operators = program.operators.map((operator) => ({
    ...operator,
    steps: operator.steps.map((step) => ({ ...step, shape: change(step.shape) })),
  }));
  return { ...program, operators };
}

/** As many as there are output features, padding included: then none is ever waited for. */
function allAccumulators(shape: StepShape): StepShape {
  if (shape.kernel !== 'spmm') return shape;
  return { ...shape, accumulators: countCells(shape.weights, shape.cols).length / shape.cols };
}

test('every twin is what a program comes to that was made without the effect', async () => {
  let saved = 0;
  let cost = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async (each) => {
      const program = programOf(each);
      const { machine } = program;
      const was = await cyclesOf(program);
      const twins = await twinsOf(program, inProcessTimer());
      const core = { ...machine.core, axpyOverhead: 0, controlSlots: 1, kernelStart: 0 };
      const made = {
        noOverheads: await cyclesOf(programOf(each, { ...machine, core })),
        freeIngress: await cyclesOf(programOf(each, { ...machine, edge: { bitsPerSecond: 1e18 } })),
        unboundedAccumulators: await cyclesOf(withShapes(program, allAccumulators)),
      };
      for (const [i, own] of twins.entries()) {
        expect(own.noOverheads).toBe(made.noOverheads[i]);
        expect(own.freeIngress ?? was[i]).toBe(made.freeIngress[i]);
        expect(own.unboundedAccumulators ?? was[i]).toBe(made.unboundedAccumulators[i]);
        for (const effect of EFFECTS) {
          const price = priceOf(effect, was[i], own) ?? 0;
          if (price > 0) saved++;
          if (price < 0) cost++;
        }
      }
    }),
    { seed: 6, numRuns: 40 },
  );
  // The effects are there; and that taking one away may cost cycles is no fault.
  expect(saved).toBeGreaterThan(500);
  expect(cost).toBeLessThan(saved / 20);
});

test('the slots of the fullest PE are a bound that no run is under', async () => {
  await fc.assert(
    fc.asyncProperty(drawn, async (each) => {
      const program = programOf(each);
      const was = await cyclesOf(program);
      for (const [i, { noWaiting, slots }] of (await twinsOf(program, inProcessTimer())).entries()) {
        const runs = program.operators[i].steps.reduce((sum, { repeat }) => sum + repeat, 0);
        expect(noWaiting).toBeLessThanOrEqual(was[i]);
        expect(noWaiting).toBe(slots.compute + slots.overhead + slots.reduce + runs * program.machine.core.kernelStart);
      }
    }),
    { seed: 7, numRuns: 40 },
  );
});

test('an operator has the twins that mean something in it', async () => {
  const sparsity = { value: 0.6, weights: ['qkv'] };
  const graph = graphOf({ ...gptLike, sparsity }, 3, 13);
  const fit = fitMapping(graph, fabric, anyMapping, { columns: 6, tokensPerPe: 5, accumulators: 2 });
  if (isMisfit(fit)) throw new Error(fit.what);
  const program = lower(placeGraph(graph, fabric, fit));
  const twins = await twinsOf(program, inProcessTimer());
  const having = (effect: 'balancedZeros' | 'unboundedAccumulators' | 'freeIngress' | 'accumulators'): string[] =>
    program.operators.flatMap(({ name }, i) => (twins[i][effect] === null ? [] : [name]));
  const matmuls = ['h.0.attn.c_attn', 'h.0.attn.c_proj', 'h.0.mlp.c_fc', 'h.0.mlp.c_proj', 'lm_head'];
  expect(having('balancedZeros')).toEqual(['h.0.attn.c_attn']);
  expect(having('unboundedAccumulators')).toEqual(matmuls);
  expect(having('accumulators')).toEqual(matmuls);
  expect(having('freeIngress').toSorted()).toEqual(['wte', 'h.0.ln_1', 'h.0.ln_2', 'ln_f', ...matmuls].toSorted());
});

/** Times a matmul by its accumulators alone, all PEs waiting in all cycles, until `enough` make them work. */
function madeUp(cyclesOf: (accumulators: number) => number, enough: number): { timer: Timer; asked: Set<number> } {
  const asked = new Set<number>();
  const time: Timer['time'] = async (shape) => {
    if (shape.kernel !== 'spmm') throw new Error(`${shape.kernel} was not expected`);
    const { cols: pes, accumulators } = shape;
    asked.add(accumulators);
    const cycles = cyclesOf(accumulators);
    const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
    totals[accumulators < enough ? CAUSE.waitThread : CAUSE.waitPartial] = cycles * pes;
    const slots = { compute: 0, overhead: 0, reduce: 0 };
    const traffic = { width: pes, hops: 0, entering: 0, leaving: 0 };
    return { engine: 'streamed', path: 'made up', why: '', cycles, pes, totals, slots, traffic };
  };
  return { timer: { time, close: () => Promise.resolve() }, asked };
}

test.each<[string, number, (accumulators: number) => number, number, number[]]>([
  ['until doubling them saves nothing', 4000, (K) => Math.max(900, 1000 - K), Infinity, [1, 16, 32, 64, 128, 256]],
  ['until nobody waits for one', 4000, (K) => 1e6 - K, 40, [1, 16, 32, 64]],
  ['up to the output features', 100, (K) => 1e6 - K, Infinity, [1, 16, 32, 64, 100]],
  ['up to what an engine can remember', 4000, (K) => 1e6 - K, Infinity, [1, 16, 32, 64, 128, 256, 512, 524]],
])('accumulators are doubled %s', async (_, out, cyclesOf, enough, expected) => {
  const machine = { ...waferOf(4, 4), memory: { ...fabric.memory, sramBytes: 1e9 } };
  const graph = graphOf({ kind: 'matmul', in: 30, out, sparsity: 0.5 }, 4, 2000);
  const fit = fitMapping(graph, machine, anyMapping, { columns: 4, tokensPerPe: 2000, accumulators: 1 });
  if (isMisfit(fit)) throw new Error(fit.what);
  const { timer, asked } = madeUp(cyclesOf, enough);
  const [{ accumulators, unboundedAccumulators }] = await twinsOf(lower(placeGraph(graph, machine, fit)), timer);
  expect([...asked].toSorted((a, b) => a - b)).toEqual(expected);
  const { kernelStart } = machine.core;
  const used = expected.findLast((K) => cyclesOf(K) !== cyclesOf(K / 2)) ?? 0;
  expect(accumulators).toBe(used);
  expect(unboundedAccumulators).toBe(kernelStart + cyclesOf(used) + fit.rows - 1);
});

test('progress counts the kernels of all twins to the last', async () => {
  const program = programOf({ base: gptLike, sparsity: 0.6, machine: fabric, C: 6, T: 5, K: 2 });
  const timer = inProcessTimer();
  const wafer = await runProgram(program, { timer });
  const seen: [number, number][] = [];
  await runTwins(program, wafer, { timer, onProgress: (done, total) => seen.push([done, total]) });
  const total = 4 * program.operators.reduce((sum, { steps }) => sum + steps.length, 0);
  expect(seen).toEqual(Array.from({ length: total }, (_, i) => [i + 1, total]));
});

describe('what bounds an operator of 100 cycles', () => {
  const twins: Twins = {
    balancedZeros: 80,
    unboundedAccumulators: 85,
    noOverheads: 82,
    freeIngress: 99,
    noWaiting: 75,
    slots: { compute: 30, overhead: 18, reduce: 27 },
    accumulators: 32,
  };

  test('is the dearest of slots and prices', () => {
    expect(boundCosts(100, twins)).toEqual({
      compute: 30,
      overhead: 18,
      reduction: 27,
      'weight stream': 1,
      'load imbalance': 20,
      fabric: 4,
    });
    expect(boundByTwins(100, twins)).toEqual({ bound: 'compute', costs: 30 });
    expect(boundByTwins(100, { ...twins, noOverheads: 69 })).toEqual({ bound: 'overhead', costs: 31 });
    const discards = { compute: 2, overhead: 58, reduce: 15 };
    expect(boundByTwins(100, { ...twins, slots: discards })).toEqual({ bound: 'overhead', costs: 58 });
    expect(boundByTwins(100, { ...twins, freeIngress: 60 }).bound).toBe('weight stream');
    expect(boundByTwins(100, { ...twins, unboundedAccumulators: 65 }).bound).toBe('load imbalance');
    expect(boundByTwins(100, { ...twins, noWaiting: 20 })).toEqual({ bound: 'fabric', costs: 59 });
  });

  test('is not an effect that it does not have, or that saves cycles', () => {
    const others = { ...twins, balancedZeros: null, unboundedAccumulators: null, freeIngress: null };
    expect(boundCosts(100, others)).toMatchObject({ 'weight stream': 0, 'load imbalance': 0, fabric: 25 });
    const saving = { ...twins, balancedZeros: 130, unboundedAccumulators: 101 };
    expect(boundCosts(100, saving)).toMatchObject({ 'load imbalance': -1, fabric: 24 });
  });
});

function steppedCycles(shape: SpmmShape): number {
  return timeSpmm({ ...shape, rows: 1 }, 'stepped').cycles;
}

describe('taking an effect away may cost cycles, so that its price is negative', () => {
  test('even zeros', () => {
    const shape = spmmCase(39);
    const { nnz, cols } = shape;
    expect(steppedCycles({ ...shape, nnz: balancedCells(nnz, cols) })).toBeGreaterThan(steppedCycles(shape));
  });

  test('all accumulators that there can be', () => {
    const { ends: _, waves: __, ...shape } = lateStreamCase(3526);
    expect(steppedCycles({ ...shape, accumulators: shape.features })).toBeGreaterThan(steppedCycles(shape));
  });
});
