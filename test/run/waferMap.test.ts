// Are the PEs of the map those of the machine? Every operator of tiny models, forward and training, PE by PE against the
// stepped engine with the same kernels on all PEs of a group.

import { describe, expect, test } from 'vitest';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { placeGraph } from '../../compiler/lower/placement.ts';
import type { Program, ProgramOperator } from '../../compiler/lower/program.ts';
import { fitMapping, isMisfit } from '../../compiler/mapping/fit.ts';
import type { Mapping } from '../../compiler/mapping/mapping.ts';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT } from '../../emulator/program/causes.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { runProgram } from '../../run/program.ts';
import { inProcessTimer } from '../../run/timer.ts';
import { mapWafer, timerPerPe, whereOfPe } from '../../run/waferMap.ts';
import { anyMapping, gptJLike, gptLike, graphOf, llamaLike, waferOf } from './tiny.ts';
import { wholeGroup } from './wholeGroup.ts';

interface Case {
  readonly what: string;
  readonly graph: Graph;
  readonly C: number;
  readonly T: number;
  readonly instead?: Partial<Mapping>;
}

const train = { kind: 'train', recompute: 'layer' } as const;

const cases: Case[] = [
  { what: 'GPT, a column without a head', graph: graphOf(gptLike, 4, 13), C: 13, T: 5 },
  {
    what: 'GPT, two groups, slices with a rest',
    graph: graphOf(gptLike, 5, 16),
    C: 6,
    T: 6,
    instead: { logitSlice: 18 },
  },
  { what: 'LLaMA, fewer columns than heads', graph: graphOf(llamaLike, 4, 34), C: 3, T: 3 },
  {
    what: 'a training step of a GPT, two groups',
    graph: graphOf({ ...gptLike, sparsity: 0.6 }, 5, 16, train),
    C: 6,
    T: 6,
    instead: { logitSlice: 18, gradients: { buffers: 2, sums: 60 } },
  },
  {
    what: 'a training step of a GPT-J',
    graph: graphOf(gptJLike, 3, 13, train),
    C: 13,
    T: 5,
    instead: { gradients: { buffers: 3, sums: 100 } },
  },
];

const machine = waferOf(13, 12);

function programOf({ graph, C, T, instead }: Case): Program {
  const fit = fitMapping(graph, machine, anyMapping, { columns: C, tokensPerPe: T, accumulators: 2 });
  if (isMisfit(fit)) throw new Error(`${fit.what}: ${fit.demand} of ${fit.limit}`);
  return lower(placeGraph(graph, machine, { ...fit, ...instead }));
}

/** CAUSE_COUNT counts of each PE of a group in a pass, row by row. */
function steppedGroup({ kind, steps }: ProgramOperator, graph: Graph, { mapping }: Program): Float64Array {
  const { columns: C, rows } = mapping;
  const { kernelStart } = machine.core;
  const bank = new Float64Array(rows * C * CAUSE_COUNT);
  for (const { shape, repeat } of steps) {
    const { programs, times } = wholeGroup(shape, kind, graph, mapping, machine);
    for (const program of programs) {
      const { cycles, where } = runStepped(program, latenciesOf(machine));
      for (let pe = 0; pe < rows * C; pe++) {
        // A program of one row is the same on all rows.
        const [x, y] = [pe % C, times === 1 ? Math.floor(pe / C) : 0];
        const at = pe * CAUSE_COUNT;
        bank[at + CAUSE.overhead] += repeat * kernelStart;
        if (x >= program.width || y >= program.height) bank[at + CAUSE.done] += repeat * cycles;
        else
          for (let c = 0; c < CAUSE_COUNT; c++)
            bank[at + c] += repeat * where[(y * program.width + x) * CAUSE_COUNT + c];
      }
    }
  }
  return bank;
}

async function mapped(program: Program, given = program) {
  const timer = inProcessTimer();
  const result = await runProgram(program, { timer: timerPerPe(timer) });
  return { result, maps: await mapWafer(given, result, timer) };
}

describe('the map has the counts of every PE', () => {
  test.each(cases)('$what', async (each) => {
    const program = programOf(each);
    const { columns: C, rows } = program.mapping;
    const { result, maps } = await mapped(program);
    const known = new Map<string, Float64Array>();
    program.operators.forEach((operator, i) => {
      const key = JSON.stringify([operator.kind, operator.steps]);
      const stepped = known.get(key) ?? steppedGroup(operator, each.graph, program);
      known.set(key, stepped);
      const got = new Float64Array(stepped.length);
      for (let pe = 0; pe < rows * C; pe++) got.set(whereOfPe(maps[i], pe % C, Math.floor(pe / C)), pe * CAUSE_COUNT);
      expect({ name: operator.name, cycles: maps[i].cycles, where: got }).toEqual({
        name: operator.name,
        cycles: result.operators[i].cycles,
        where: stepped,
      });
    });
  });

  test('a map that is not that of the result is refused', async () => {
    const program = programOf(cases[0]);
    const [embedding, { steps, ...norm }] = program.operators;
    const twice = { ...norm, steps: steps.map((step) => ({ ...step, repeat: step.repeat + 1 })) };
    await expect(
      mapped({ ...program, operators: [embedding, { ...norm, steps }] }, { ...program, operators: [embedding, twice] }),
    ).rejects.toThrow(/cycles of \w+ on the map/);
  });
});

/** Of one matmul of 30 x 41 weights on five columns. */
async function edgeWords(sparsity: number): Promise<number> {
  const graph = graphOf({ kind: 'matmul', in: 30, out: 41, sparsity }, 12, 5);
  const { maps } = await mapped(programOf({ what: '', graph, C: 5, T: 5 }));
  return maps[0].edgeWords;
}

test('words at the edge are those of the weights, in pairs where they are dense', async () => {
  const controls = 41 * 5;
  expect(await edgeWords(0)).toBe((30 * 41 + controls) / 2);
  expect(await edgeWords(1)).toBe(controls);
});
