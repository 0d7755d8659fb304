// Operators that take each PE's [feature][token] words one by one: their slots and their PE code.
//
// A vector instruction runs along the T tokens of one feature. An operator of several instructions (an exponential, say)
// is rounded to fp16 once, at its end; sums and products of the table are rounded one by one.

import type { Machine } from '../emulator/machine/spec.ts';
import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';
import type { LocalShape } from './local.ts';

/**
 * Vector instructions a feature. `rotary`: 4 for each pair of features, two products and two multiply-adds. The gradients
 * (elementwiseBackward.ts) take the operator without its last product, which gives the gate h or the sigmoid s, and then
 *   gelu    c1 + c2 x^2, h - h^2, x times the first, that times the second plus h, the product with the gradient
 *   swiglu  a = g s, a - a s, plus s; the gradient times a, times up, and that times the third
 */
const instructionsOf = {
  gelu: ({ geluOps }) => geluOps,
  relu: () => 1,
  residual: () => 1,
  swiglu: ({ siluOps }) => siluOps + 1,
  rotary: () => 2,
  scale: () => 1,
  geluBackward: ({ geluOps }) => geluOps - 1 + 5,
  reluBackward: () => 1,
  swigluBackward: ({ siluOps }) => siluOps - 1 + 6,
  rotaryBackward: () => 2,
} as const satisfies Record<string, (core: Machine['core']) => number>;

export type ElementwiseOp = keyof typeof instructionsOf;

export function elementwiseSlots(op: ElementwiseOp, features: number, tokens: number, { core }: Machine): number {
  return features * Math.ceil(tokens / core.simdFp16) * instructionsOf[op](core);
}

/** `op` on every PE of a rectangle, `features` features of `tokens` tokens each. */
export function elementwise(
  op: ElementwiseOp,
  extent: { readonly rows: number; readonly cols: number; readonly features: number; readonly tokens: number },
  machine: Machine,
): LocalShape {
  const { rows, cols, features, tokens } = extent;
  return { kernel: 'local', rows, cols, slots: elementwiseSlots(op, features, tokens, machine) };
}

/** Word offsets of vectors of `count` words; output may be input. */
export interface Operands {
  readonly input: number;
  readonly output: number;
  readonly count: number;
}

function eachWord({ input, output, count }: Operands, of: (value: number) => number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < count; i++) memory[base + output + i] = fp16(of(memory[base + input + i]));
    return 0;
  };
}

/** The tanh form, as GPT-2 has it. */
export function geluCode(operands: Operands): PeCode {
  const root = Math.sqrt(2 / Math.PI);
  return eachWord(operands, (x) => 0.5 * x * (1 + Math.tanh(root * (x + 0.044715 * x * x * x))));
}

export function reluCode(operands: Operands): PeCode {
  return eachWord(operands, (x) => Math.max(0, x));
}

export function scaleCode(operands: Operands, factor: number): PeCode {
  const half = fp16(factor);
  return eachWord(operands, (x) => x * half);
}

/** output = input + other. */
export function residualCode({ input, output, count }: Operands, other: number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < count; i++)
      memory[base + output + i] = fp16(memory[base + input + i] + memory[base + other + i]);
    return 0;
  };
}

/** output = silu(input) * up. */
export function swigluCode({ input, output, count }: Operands, up: number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < count; i++) {
      const gate = memory[base + input + i];
      memory[base + output + i] = fp16(fp16(gate / (1 + Math.exp(-gate))) * memory[base + up + i]);
    }
    return 0;
  };
}

/**
 * Turns each pair of neighbouring features 2j, 2j + 1 by its position's angle. The table [feature][token] has the cosine
 * at feature 2j and the sine at 2j + 1, as rowStream leaves them.
 */
export function rotaryCode({ input, output, count }: Operands, table: number, tokens: number): PeCode {
  return (memory, base) => {
    for (let pair = 0; pair < count; pair += 2 * tokens)
      for (let first = pair; first < pair + tokens; first++) {
        const second = first + tokens;
        const x = memory[base + input + first];
        const y = memory[base + input + second];
        const cos = memory[base + table + first];
        const sin = memory[base + table + second];
        memory[base + output + first] = fp16(fp16(x * cos) - fp16(y * sin));
        memory[base + output + second] = fp16(fp16(x * sin) + fp16(y * cos));
      }
    return 0;
  };
}
