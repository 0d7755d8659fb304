// The gradient of the loss by the logits of a slice of the vocabulary, local: weight * (exp(logit - max) / sum - 1 for the
// target). The slice's logits are there again, as after its matmul; maximum and weight / sum of the row are in all columns
// (logitMerge.ts, logitScale.ts).
//
// Memory of a PE, in 32-bit words, each holding one value:
//   logits  [F][T] fp16; feature n of the slice lies at ring position n mod C; they become the gradient, 0 beyond the slice
//   row     [T] fp16, the largest logit; inverse [T] fp32, weight / sum
//   targets [4][T], of each token's target: its slice, its index among the features of a column there, its ring position;
//           and the weight of the token's loss

import type { Machine } from '../emulator/machine/spec.ts';
import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import { columnOf } from '../emulator/program/ring.ts';
import type { Kernel, ValueMemory } from './kernel.ts';
import { coresByColumn, singleThreadProgram } from './singleThread.ts';

export interface LogitGradientShape {
  readonly kernel: 'logitGradient';
  readonly rows: number;
  readonly cols: number;
  /** Of the slice on a column. */
  readonly features: number;
  readonly tokens: number;
}

export interface LogitGradientValues extends ValueMemory {
  readonly at: Record<'logits' | 'row' | 'inverse' | 'targets', number>;
  /** Which slice this is, and its features. */
  readonly slice: number;
  readonly count: number;
}

/** Numbers a target takes, and which of them is the weight. */
export const TARGET_WORDS = 4;
export const TARGET_WEIGHT = 3;

/** Of `targets`, where token `target` of the vocabulary is to be found, which is cut in slices of `slice`. */
export function targetPlace(target: number, slice: number, cols: number): [slice: number, feature: number, p: number] {
  const inSlice = target % slice;
  return [Math.floor(target / slice), Math.floor(inSlice / cols), inSlice % cols];
}

export const logitGradient: Kernel<LogitGradientShape, LogitGradientValues> = {
  rows: 'same',
  program(shape, machine, values) {
    const { rows, cols } = shape;
    const positions: number[] = [];
    for (let p = 0; p < cols; p++) positions[columnOf(p, cols)] = p;
    const slots = slotsOf(shape, machine);
    return singleThreadProgram(
      {
        name: 'logitGradient',
        width: cols,
        height: rows,
        cores: coresByColumn(cols, rows, (x) => [{ slots, code: 0, a: positions[x] }]),
        code: values === undefined ? [] : [gradient(shape, values)],
      },
      values,
    );
  },
};

/**
 * For the tokens of which the target is here: two comparisons, and a selection of the feature. For each feature a difference,
 * an exponential, a product, and a subtraction where it is the target.
 */
function slotsOf({ features, tokens }: LogitGradientShape, { core }: Machine): number {
  return Math.ceil(tokens / core.simdFp16) * (3 + features * (3 + core.expOps));
}

function gradient(
  { cols, features: F, tokens: T }: LogitGradientShape,
  { at, slice, count }: LogitGradientValues,
): PeCode {
  return (memory, base, { a: p }) => {
    const held = Math.ceil((count - p) / cols);
    for (let i = 0; i < T; i++) {
      const [ofSlice, feature, position, weight] = [0, 1, 2, TARGET_WEIGHT].map(
        (word) => memory[base + at.targets + word * T + i],
      );
      const here = ofSlice === slice && position === p ? feature : -1;
      const inverse = fp16(memory[base + at.inverse + i]);
      for (let f = 0; f < F; f++) {
        const word = base + at.logits + f * T + i;
        const share = fp16(fp16(Math.exp(fp16(memory[word] - memory[base + at.row + i]))) * inverse);
        memory[word] = f < held ? fp16(share - (f === here ? weight : 0)) : 0;
      }
    }
    return 0;
  };
}
