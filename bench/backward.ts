// The kernels of the backward pass of GPT-3 XL but its matmuls, at full size: the cycles of one run of each, how often a layer
// (or the pass) runs it, and the CPU time that its exact count takes. Each is the smallest rectangle that shows all; equal
// shapes are run once in a report.

import { latenciesOf, type Machine } from '../emulator/machine/spec.ts';
import { machinePresets } from '../emulator/machine/presets/index.ts';
import { runDataflow } from '../emulator/streamed/dataflow.ts';
import { attentionBackwardSteps } from '../kernels/attention/backwardSteps.ts';
import {
  activationBackward,
  biasBackward,
  embeddingBackward,
  lossBackward,
  lossStart,
  normBackward,
  residualBackward,
  type WaferExtent,
} from '../kernels/backwardSteps.ts';
import { columnReduceTime } from '../kernels/columnReduceTime.ts';
import { type KernelShape, timingProgram } from '../kernels/index.ts';
import { host, measure, milliseconds, table } from './measure.ts';

const RUNS = 3;
const { machine } = machinePresets.wse2;
const extent: WaferExtent = { groups: 5, columns: 128, rows: 994, rowsPerSequence: 52, tokens: 40 };
const [width, hidden, slice] = [2048, 8192, 3840];
const attention = {
  heads: 16,
  headDim: 128,
  cols: extent.columns,
  tokens: extent.tokens,
  sequence: 2048,
  keyBlock: 8,
  causal: true,
  accumulate: 'fp16',
} as const;

function cyclesOf(shape: KernelShape, on: Machine): number {
  const closed = shape.kernel === 'columnReduce' ? columnReduceTime(shape, on) : undefined;
  const run = closed ?? runDataflow(timingProgram(shape, on), latenciesOf(on));
  if (run === undefined) throw new Error(`${shape.kernel} has no fast exact time`);
  return run.cycles;
}

const once = (steps: readonly { readonly shape: KernelShape }[]) => steps.map(({ shape }) => ({ shape, repeat: 1 }));

const operators = {
  lmHead: once([...lossStart(machine, extent), ...lossBackward(slice, extent)]),
  norm: once(normBackward({ width, kind: 'layernorm', bias: true }, machine, extent)),
  'c_fc bias': once(biasBackward(hidden / extent.columns, machine, extent)),
  gelu: once(activationBackward('gelu', hidden, machine, extent)),
  residual: once(residualBackward(width, machine, extent)),
  attention: attentionBackwardSteps(attention, machine),
  embedding: once(embeddingBackward({ width, learnedPositions: true }, machine, extent)),
};

function rows(): string[][] {
  return Object.entries(operators).flatMap(([operator, steps]) => {
    // Tiles of an attention are alike but for their place: one line a kernel, the first of each, all of them counted.
    const seen = new Map<string, { cycles: number; repeat: number; seconds: number; kernels: number }>();
    const timed = new Set<string>();
    for (const { shape, repeat } of steps) {
      const name = 'of' in shape ? `${shape.kernel} of ${shape.of}` : shape.kernel;
      const { median, result } = measure(RUNS, () => cyclesOf(shape, machine));
      const sum = seen.get(name) ?? { cycles: 0, repeat: 0, seconds: 0, kernels: 0 };
      sum.cycles += result * repeat;
      sum.repeat += repeat;
      const shapeText = JSON.stringify(shape);
      if (!timed.has(shapeText)) {
        sum.seconds += median;
        sum.kernels++;
        timed.add(shapeText);
      }
      seen.set(name, sum);
    }
    return [...seen].map(([name, { cycles, repeat, seconds, kernels }]) => [
      operator,
      name,
      String(repeat),
      String(cycles),
      String(kernels),
      milliseconds(seconds),
    ]);
  });
}

console.log(host());
console.log(
  table(['operator', 'kernel', 'runs', 'cycles, all runs', 'different shapes', 'CPU, all shapes, ms'], rows()),
);
