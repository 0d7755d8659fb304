// The local kernel, and each elementwise operator against its plain reference.

import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import {
  type ElementwiseOp,
  elementwise,
  elementwiseSlots,
  geluCode,
  reluCode,
  residualCode,
  rotaryCode,
  scaleCode,
  swigluCode,
} from '../../kernels/elementwise.ts';
import { local } from '../../kernels/local.ts';
import * as reference from '../../kernels/reference/elementwise.ts';
import { bank, drawHalves } from './draw.ts';
import { machine } from './latencies.ts';

const PES = 6;
const T = 5;
const F = 4;
const COUNT = F * T;
/** Memory of a PE: two operands, then the output. */
const WORDS = 3 * COUNT;

/** Runs `code` on 2 x 3 PEs; returns, PE by PE, both operands and the output. */
function runOn(
  op: ElementwiseOp,
  code: PeCode,
  seed: number,
): { a: Float32Array; b: Float32Array; out: Float32Array }[] {
  const shape = elementwise(op, { rows: 2, cols: 3, features: F, tokens: T }, machine);
  const memory = bank(PES, WORDS, (pe) => drawHalves(2 * COUNT, seed + pe, 2));
  const run = runStepped(local.program(shape, machine, { words: WORDS, memory, code }), latenciesOf(machine));
  expect(run.cycles).toBe(elementwiseSlots(op, F, T, machine));
  expect(run.cycles).toBe(runStepped(local.program(shape, machine), latenciesOf(machine)).cycles);
  return Array.from({ length: PES }, (_, pe) => {
    const words = run.memory.subarray(pe * WORDS, (pe + 1) * WORDS);
    return { a: words.slice(0, COUNT), b: words.slice(COUNT, 2 * COUNT), out: words.slice(2 * COUNT) };
  });
}

const operands = { input: 0, output: 2 * COUNT, count: COUNT };
const rounded = (values: readonly number[]): Float32Array => Float32Array.from(values, fp16);

test('slots count vector instructions of ceil(T / simd) slots', () => {
  expect(elementwiseSlots('gelu', 3, 5, machine)).toBe(3 * 2 * 12);
  expect(elementwiseSlots('relu', 3, 5, machine)).toBe(6);
  expect(elementwiseSlots('residual', 3, 4, machine)).toBe(3);
  expect(elementwiseSlots('swiglu', 3, 5, machine)).toBe(3 * 2 * 13);
  expect(elementwiseSlots('rotary', 4, 5, machine)).toBe(4 * 2 * 2);
  expect(elementwiseSlots('scale', 4, 5, machine)).toBe(8);
});

test('gelu, relu and residual are the reference rounded once', () => {
  for (const { a, out } of runOn('gelu', geluCode(operands), 1)) expect(out).toEqual(rounded(reference.gelu(a)));
  for (const { a, out } of runOn('relu', reluCode(operands), 2)) expect(out).toEqual(rounded(reference.relu(a)));
  for (const { a, b, out } of runOn('residual', residualCode(operands, COUNT), 3))
    expect(out).toEqual(rounded(reference.residual(a, b)));
});

test('scale multiplies by the fp16 nearest to the factor', () => {
  for (const { a, out } of runOn('scale', scaleCode(operands, 0.3), 4))
    expect(out).toEqual(Float32Array.from(a, (x) => fp16(x * fp16(0.3))));
});

test('swiglu rounds the gate, then the product', () => {
  // Two roundings of half a unit in the last place, 2^-11 each, and fp16 subnormals.
  for (const { a, b, out } of runOn('swiglu', swigluCode(operands, COUNT), 5))
    reference.swiglu(a, b).forEach((exact, i) => {
      expect(Math.abs(out[i] - exact)).toBeLessThanOrEqual(2.01 * 2 ** -11 * Math.abs(exact) + 2 ** -24);
    });
});

test('rotary turns pairs of neighbouring features by the angle of their position', () => {
  const position = (pe: number, token: number): number => pe * T + token;
  const table = (pe: number): Float32Array =>
    Float32Array.from({ length: COUNT }, (_, i) => {
      const [feature, token] = [Math.floor(i / T), i % T];
      const angle = position(pe, token) * 10000 ** (-(feature - (feature % 2)) / F);
      return fp16(feature % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
  const shape = elementwise('rotary', { rows: 2, cols: 3, features: F, tokens: T }, machine);
  const memory = bank(PES, WORDS, (pe) => Float32Array.of(...drawHalves(COUNT, 6 + pe), ...table(pe)));
  const code = rotaryCode(operands, COUNT, T);
  const run = runStepped(local.program(shape, machine, { words: WORDS, memory, code }), latenciesOf(machine));
  for (let pe = 0; pe < PES; pe++)
    for (let token = 0; token < T; token++) {
      const head = Array.from({ length: F }, (_, f) => memory[pe * WORDS + f * T + token]);
      // Each result: a rounded table, two rounded products and a rounded sum, 2^-11 of at most |x| + |y| each.
      reference.rotary(head, position(pe, token)).forEach((exact, f) => {
        const pair = Math.abs(head[f - (f % 2)]) + Math.abs(head[f - (f % 2) + 1]);
        const got = run.memory[pe * WORDS + 2 * COUNT + f * T + token];
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(3 * 2 ** -11 * pair);
      });
    }
});
