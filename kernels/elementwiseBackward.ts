// PE code of the gradients of the elementwise operators; their slots stand in the table of elementwise.ts. As there, what
// takes several instructions is rounded to fp16 once, here the derivative, and so is its product with the gradient. The
// gradient of a residual is a sum (residualCode), that of a scale a scale.

import { fp16 } from '../emulator/numerics/fp16.ts';
import type { PeCode } from '../emulator/program/fabric.ts';

/** Word offsets of vectors of `count` words: the input of the forward pass, the gradient by its output, that by the input. */
export interface GradientOperands {
  readonly input: number;
  readonly gradient: number;
  /** May be either of the others. */
  readonly output: number;
  readonly count: number;
}

function eachWord({ input, gradient, output, count }: GradientOperands, derivative: (value: number) => number): PeCode {
  return (memory, base) => {
    for (let i = 0; i < count; i++)
      memory[base + output + i] = fp16(fp16(derivative(memory[base + input + i])) * memory[base + gradient + i]);
    return 0;
  };
}

/** With h = (1 + tanh) / 2 and u the argument of tanh: (x h)' = h + 2 x u' (h - h^2). */
export function geluBackwardCode(operands: GradientOperands): PeCode {
  const root = Math.sqrt(2 / Math.PI);
  return eachWord(operands, (x) => {
    const h = 0.5 * (1 + Math.tanh(root * (x + 0.044715 * x * x * x)));
    return h + 2 * x * root * (1 + 3 * 0.044715 * x * x) * (h - h * h);
  });
}

export function reluBackwardCode(operands: GradientOperands): PeCode {
  return eachWord(operands, (x) => (x > 0 ? 1 : 0));
}

/** `input` is the gate and `up` what it meets; `output` becomes the gradient of the gate and `outputUp` that of `up`. */
export function swigluBackwardCode(
  { input, gradient, output, count }: GradientOperands,
  up: number,
  outputUp: number,
): PeCode {
  return (memory, base) => {
    for (let i = 0; i < count; i++) {
      const gate = memory[base + input + i];
      const sigmoid = 1 / (1 + Math.exp(-gate));
      const byGate = fp16(memory[base + gradient + i] * memory[base + up + i]);
      const byUp = fp16(memory[base + gradient + i] * fp16(gate * sigmoid));
      memory[base + output + i] = fp16(byGate * fp16(sigmoid + gate * sigmoid * (1 - sigmoid)));
      memory[base + outputUp + i] = byUp;
    }
    return 0;
  };
}

/** Turns each pair back by its position's angle; the table is that of rotaryCode. */
export function rotaryBackwardCode(
  { gradient, output, count }: Omit<GradientOperands, 'input'>,
  table: number,
  tokens: number,
): PeCode {
  return (memory, base) => {
    for (let pair = 0; pair < count; pair += 2 * tokens)
      for (let first = pair; first < pair + tokens; first++) {
        const second = first + tokens;
        const x = memory[base + gradient + first];
        const y = memory[base + gradient + second];
        const cos = memory[base + table + first];
        const sin = memory[base + table + second];
        memory[base + output + first] = fp16(fp16(x * cos) + fp16(y * sin));
        memory[base + output + second] = fp16(fp16(y * cos) - fp16(x * sin));
      }
    return 0;
  };
}
