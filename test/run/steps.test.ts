// Does the smallest rectangle stand for the whole? Every step of tiny models as the program has it, timed by the fastest
// engine, folded and multiplied, against the stepped engine with the same kernel on all PEs of a group.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withAdapters } from '../../compiler/graph/adapters.ts';
import type { Graph, OperatorKind } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program, ProgramStep } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import { type MappingRequest, type Recompute, sparseWeights } from '../../compiler/model/spec.ts';
import { machinePresets } from '../../emulator/machine/presets/index.ts';
import { latenciesOf, type Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, type Where, whereAt } from '../../emulator/program/causes.ts';
import { hopsOf } from '../../emulator/program/hops.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { isFolded } from '../../run/step.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';
import { wholeGroup } from './wholeGroup.ts';

interface Counts {
  readonly cycles: number;
  readonly where: Where;
  readonly hops: number;
}

/** Each step once, as the program has it: of all PEs in use, without the start of the kernel. */
async function asProgram(program: Program): Promise<Counts[]> {
  const { operators, machine, mapping } = program;
  const single = operators.flatMap(({ steps, ...operator }) =>
    steps.map((step) => ({ ...operator, steps: [{ ...step, repeat: 1 }] })),
  );
  const { kernelStart } = machine.core;
  const used = mapping.groups * mapping.columns * mapping.rows;
  const run = await runProgram({ ...program, operators: single }, { timer: inProcessTimer() });
  return run.operators.map(({ cycles, where, traffic }) => ({
    hops: traffic.hops,
    cycles: cycles - kernelStart,
    where: { ...where, overhead: where.overhead - used * kernelStart },
  }));
}

/** The same of a stepped run of one group; all groups do the same, and PEs without a core are done from the start. */
function asStepped({ shape }: ProgramStep, kind: OperatorKind, graph: Graph, { machine, mapping }: Program): Counts {
  const { programs, times } = wholeGroup(shape, kind, graph, mapping, machine);
  const { columns, rows, groups } = mapping;
  const totals = new Float64Array(CAUSE_COUNT);
  let all = 0;
  let hops = 0;
  programs.forEach((program, i) => {
    const { cycles, where } = runStepped(program, latenciesOf(machine));
    where.forEach((count, c) => {
      totals[c % CAUSE_COUNT] += count * times * groups;
    });
    totals[CAUSE.done] += groups * (columns * rows - times * program.width * program.height) * cycles;
    // Starts between the kernels of one step are its own, of the PEs that it is on.
    const start = i > 0 ? machine.core.kernelStart : 0;
    totals[CAUSE.overhead] += start * groups * columns * rows;
    all += cycles + start;
    hops += hopsOf(program) * times * groups;
  });
  return { cycles: all, where: whereAt(totals, 0), hops };
}

function adaptersOf(model: Readonly<Record<string, unknown>>, recompute: Recompute): Graph {
  const graph = withAdapters(graphOf(model, 3, 13, { kind: 'train', recompute }), { rank: 3, targets: sparseWeights });
  if (graph.training === null) throw new Error('not a training step');
  return { ...graph, training: { ...graph.training, weights: 'adapters' } };
}

interface Case {
  readonly what: string;
  readonly graph: Graph;
  readonly machine?: Machine;
  readonly C: number;
  readonly T: number;
  readonly K: number;
  readonly request?: Partial<MappingRequest>;
  /** What the case is about must be so. */
  readonly expected?: Partial<Mapping>;
  readonly instead?: Partial<Mapping>;
}

const fabric = waferOf(13, 12);
/** A wavelet a cycle for all streams, and queues and buffers of one entry. */
const slow: Machine = {
  ...fabric,
  edge: { bitsPerSecond: 32 * fabric.clockHz },
  fabric: { ...fabric.fabric, routerBuffer: 1 },
  core: { ...fabric.core, inputQueue: 1, outputQueue: 1 },
};
const wse3: Machine = {
  ...machinePresets.wse3.machine,
  fabric: { ...machinePresets.wse3.machine.fabric, width: 13, height: 12 },
};
const matmul = { kind: 'matmul', in: 30, out: 41, sparsity: 0.7 };

const cases: Case[] = [
  {
    what: 'GPT, columns that do not divide the width, one of them without a head, padded sequences',
    graph: graphOf(gptLike, 4, 13),
    C: 13,
    T: 5,
    K: 3,
    expected: { groups: 1, rows: 12, rowsPerSequence: 3, passes: 1 },
  },
  {
    what: 'GPT, two groups of columns that divide the width, tiles and slices with a rest, not causal',
    graph: graphOf({ ...gptLike, layers: 2 }, 5, 16),
    C: 6,
    T: 6,
    K: 2,
    request: { causal: false },
    expected: { groups: 2, rows: 9, rowsPerSequence: 3, passes: 1 },
    instead: { keyBlock: 4, logitSlice: 18 },
  },
  {
    what: 'GPT, fewer columns than heads, one of them without a head, sums in fp32, an odd number of rows',
    graph: graphOf({ ...gptLike, width: 30, heads: 6, ff: 31 }, 3, 20),
    C: 5,
    T: 7,
    K: 1,
    request: { accumulate: 'fp32' },
    expected: { groups: 2, rows: 6, rowsPerSequence: 3 },
  },
  {
    what: 'GPT, one column a group, a sequence a PE',
    graph: graphOf(gptLike, 20, 6),
    C: 1,
    T: 8,
    K: 2,
    expected: { groups: 10, rows: 2, rowsPerSequence: 1, passes: 1 },
  },
  {
    what: 'GPT, a slow edge and the smallest queues',
    graph: graphOf(gptLike, 4, 11),
    machine: slow,
    C: 9,
    T: 4,
    K: 2,
    expected: { groups: 1, rows: 12, rowsPerSequence: 3 },
    instead: { keyBlock: 3 },
  },
  {
    what: 'LLaMA, shared heads, columns that divide neither width nor MLP',
    graph: graphOf(llamaLike, 3, 17),
    C: 10,
    T: 6,
    K: 4,
    expected: { groups: 1, rows: 9, rowsPerSequence: 3 },
  },
  {
    what: 'LLaMA, fewer columns than heads, sums in fp32, all rows one sequence',
    graph: graphOf(llamaLike, 4, 34),
    C: 3,
    T: 3,
    K: 3,
    request: { accumulate: 'fp32' },
    expected: { groups: 4, rows: 12, rowsPerSequence: 12, passes: 1 },
    instead: { keyBlock: 2 },
  },
  {
    what: 'GPT-J, two passes, sequences on two rows',
    graph: graphOf(gptJLike, 9, 11),
    C: 12,
    T: 7,
    K: 3,
    expected: { groups: 1, rows: 10, rowsPerSequence: 2, passes: 2 },
  },
  {
    what: 'GPT-J on a WSE-3, no bias, sums in fp32, a slice of the vocabulary a column count',
    graph: graphOf({ ...gptJLike, positions: 'none', rotaryDim: undefined, sparsity: 0 }, 2, 9),
    machine: wse3,
    C: 8,
    T: 9,
    K: 2,
    request: { accumulate: 'fp32' },
    expected: { groups: 1, rows: 2, rowsPerSequence: 1 },
    instead: { logitSlice: 8 },
  },
  {
    what: 'one matmul on more columns than it has features in a row',
    graph: graphOf({ ...matmul, in: 11 }, 12, 9),
    machine: slow,
    C: 13,
    T: 9,
    K: 4,
    expected: { groups: 1, rows: 12 },
  },
  ...(['none', 'layer'] as const).flatMap((recompute): Case[] => [
    {
      what: `a training step of a GPT, two groups, recompute ${recompute}`,
      graph: graphOf({ ...gptLike, layers: 2 }, 5, 16, { kind: 'train', recompute }),
      C: 6,
      T: 6,
      K: 2,
      expected: { groups: 2, rows: 9, rowsPerSequence: 3, passes: 1 },
      instead: { keyBlock: 4, logitSlice: 18, gradients: { buffers: 2, sums: 60 } },
    },
    {
      what: `a training step of a GPT-J, recompute ${recompute}`,
      graph: graphOf(gptJLike, 3, 13, { kind: 'train', recompute }),
      C: 13,
      T: 5,
      K: 3,
      request: { accumulate: 'fp32' },
      instead: { gradients: { buffers: 3, sums: 100 } },
    },
    {
      what: `a training step of a LLaMA, recompute ${recompute}`,
      graph: graphOf(llamaLike, 3, 10, { kind: 'train', recompute }),
      machine: slow,
      C: 7,
      T: 5,
      K: 3,
      instead: { gradients: { buffers: 1, sums: 1000 } },
    },
    {
      what: `adapters of a GPT alone, the queries' by head, recompute ${recompute}`,
      graph: adaptersOf({ ...gptLike, layers: 2 }, recompute),
      C: 13,
      T: 6,
      K: 2,
      instead: { gradients: { buffers: 2, sums: 40 } },
    },
    {
      what: `adapters of a LLaMA alone, gate and up in two parts, recompute ${recompute}`,
      graph: adaptersOf(llamaLike, recompute),
      machine: slow,
      C: 10,
      T: 5,
      K: 3,
      request: { accumulate: 'fp32' },
    },
  ]),
];

function programOf({ graph, machine = fabric, C, T, K, request, expected, instead }: Case): Program {
  const choice = { columns: C, tokensPerPe: T, accumulators: K };
  const fit = fitMapping(graph, machine, { ...anyMapping, ...request }, choice);
  if (isMisfit(fit)) throw new Error(`${fit.what}: ${fit.demand} of ${fit.limit}`);
  expect(fit).toMatchObject(expected ?? {});
  return lower(placeGraph(graph, machine, { ...fit, ...instead }));
}

/** Each kernel once, however often the program has it. */
async function expectSame(each: Case): Promise<void> {
  const program = programOf(each);
  const steps = program.operators.flatMap(({ steps, ...operator }) => steps.map((step) => ({ ...operator, step })));
  const got = await asProgram(program);
  expect(got).toHaveLength(steps.length);
  const known = new Map<string, Counts>();
  steps.forEach(({ name, kind, step }, i) => {
    const key = JSON.stringify([kind, step]);
    const whole = known.get(key) ?? asStepped(step, kind, each.graph, program);
    known.set(key, whole);
    const { kernel } = step.shape;
    expect({ name, kernel, ...got[i] }).toEqual({ name, kernel, ...whole });
  });
}

const drawn = fc.record({
  base: fc.constantFrom(gptLike, llamaLike, gptJLike),
  heads: fc.constantFrom(2, 4, 6),
  headDim: fc.constantFrom(2, 4, 6),
  ff: fc.integer({ min: 1, max: 40 }),
  vocabulary: fc.integer({ min: 1, max: 40 }),
  sparsity: fc.constantFrom(0, 0.5, 0.9, 1),
  batch: fc.integer({ min: 1, max: 6 }),
  sequence: fc.integer({ min: 1, max: 16 }),
  C: fc.integer({ min: 1, max: 13 }),
  T: fc.integer({ min: 2, max: 9 }),
  K: fc.integer({ min: 1, max: 4 }),
  keyBlock: fc.integer({ min: 1, max: 9 }),
  slice: fc.integer({ min: 1, max: 40 }),
  accumulate: fc.constantFrom('fp16' as const, 'fp32' as const),
  causal: fc.boolean(),
  machine: fc.constantFrom(fabric, slow, wse3),
  train: fc.constantFrom(null, 'none' as const, 'layer' as const),
  sums: fc.integer({ min: 1, max: 3 }),
});

describe('the rectangle of a step stands for all PEs: cycles, and totals by cause', () => {
  test.each(cases)('$what', expectSame);

  test('any model, any mapping', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (each) => {
        const { base, heads, headDim, batch, sequence, keyBlock, slice, accumulate, causal } = each;
        const { ff, vocabulary, sparsity, machine, C, T, K, train, sums } = each;
        const rotaryDim = 'rotaryDim' in base ? 2 : undefined;
        const shape = { ...base, heads, width: heads * headDim, rotaryDim, ff, vocabulary, sparsity };
        const graph = graphOf(shape, batch, sequence, train === null ? {} : { kind: 'train', recompute: train });
        const gradients = train === null ? {} : { gradients: { buffers: K, sums: sums * 200 } };
        const instead = { keyBlock: Math.min(keyBlock, T), logitSlice: slice, ...gradients };
        await expectSame({ what: '', graph, machine, C, T, K, request: { accumulate, causal }, instead });
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  test('a step with a copy too few, and a mapping with a row too many, are found', async () => {
    const { graph } = cases[0];
    const program = programOf(cases[0]);
    const { operators } = program;
    const [embedding, { steps, ...norm }] = operators;
    expect(isFolded(steps[0].shape.kernel)).toBe(false);
    const planted = { ...program, operators: [{ ...norm, steps: [{ ...steps[0], copies: steps[0].copies - 1 }] }] };
    const [short] = await asProgram(planted);
    expect(short.where).not.toEqual(asStepped(steps[0], norm.kind, graph, program).where);
    const taller = { ...program, mapping: { ...program.mapping, rows: program.mapping.rows + 1 } };
    const [stream] = await asProgram({ ...taller, operators: [embedding] });
    expect(stream.cycles).not.toBe(asStepped(embedding.steps[0], embedding.kind, graph, program).cycles);
  });
});
