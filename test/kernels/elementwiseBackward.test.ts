// Gradients of the elementwise operators, of bias and gain, each against its plain reference, and the slots that they take.

import { expect, test } from 'vitest';
import { latenciesOf } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import { runStepped } from '../../emulator/stepped/engine.ts';
import { type ElementwiseOp, elementwise, elementwiseSlots } from '../../kernels/elementwise.ts';
import {
  geluBackwardCode,
  reluBackwardCode,
  rotaryBackwardCode,
  swigluBackwardCode,
} from '../../kernels/elementwiseBackward.ts';
import { featureSums, featureSumsCode, type SummedGradients } from '../../kernels/featureSums.ts';
import { local, type LocalShape } from '../../kernels/local.ts';
import * as reference from '../../kernels/reference/elementwiseBackward.ts';
import { gainBackward } from '../../kernels/reference/layerNormBackward.ts';
import { bank, drawHalves } from './draw.ts';
import { machine } from './latencies.ts';

const PES = 6;
const T = 5;
const F = 4;
const COUNT = F * T;
/** Memory of a PE: input, other operand, gradient, two outputs. */
const WORDS = 5 * COUNT;
const extent = { rows: 2, cols: 3, features: F, tokens: T };
const operands = { input: 0, gradient: 2 * COUNT, output: 3 * COUNT, count: COUNT };

interface Words {
  readonly input: Float32Array;
  readonly other: Float32Array;
  readonly gradient: Float32Array;
  readonly outputs: readonly Float32Array[];
}

function runShape(shape: LocalShape, code: PeCode, seed: number): Words[] {
  const memory = bank(PES, WORDS, (pe) => drawHalves(3 * COUNT, seed + pe, 2));
  const run = runStepped(local.program(shape, machine, { words: WORDS, memory, code }), latenciesOf(machine));
  expect(run.cycles).toBe(shape.slots);
  expect(run.cycles).toBe(runStepped(local.program(shape, machine), latenciesOf(machine)).cycles);
  return Array.from({ length: PES }, (_, pe) => {
    const part = (i: number): Float32Array => run.memory.slice(pe * WORDS + i * COUNT, pe * WORDS + (i + 1) * COUNT);
    return { input: part(0), other: part(1), gradient: part(2), outputs: [part(3), part(4)] };
  });
}

const runOn = (op: ElementwiseOp, code: PeCode, seed: number): Words[] =>
  runShape(elementwise(op, extent, machine), code, seed);

/** Off by at most `roundings` of 2^-11, and a subnormal. */
function expectNear(got: ArrayLike<number>, exact: readonly number[], roundings: number): void {
  exact.forEach((value, i) => {
    expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(1.01 * roundings * 2 ** -11 * Math.abs(value) + 2 ** -22);
  });
}

test('slots count vector instructions of ceil(T / simd) slots', () => {
  expect(elementwiseSlots('geluBackward', 3, 5, machine)).toBe(3 * 2 * 16);
  expect(elementwiseSlots('reluBackward', 3, 5, machine)).toBe(6);
  expect(elementwiseSlots('swigluBackward', 3, 5, machine)).toBe(3 * 2 * 17);
  expect(elementwiseSlots('rotaryBackward', 4, 5, machine)).toBe(4 * 2 * 2);
});

test('gelu rounds its derivative, then the product', () => {
  for (const { input, gradient, outputs } of runOn('geluBackward', geluBackwardCode(operands), 1))
    expectNear(outputs[0], reference.geluBackward(input, gradient), 2);
});

test('relu passes the gradient on where its input was above zero', () => {
  for (const { input, gradient, outputs } of runOn('reluBackward', reluBackwardCode(operands), 2))
    expect([...outputs[0]].map((x) => x + 0)).toEqual(reference.reluBackward(input, gradient).map((x) => x + 0));
});

test('swiglu has a gradient for the gate and one for what it meets', () => {
  const code = swigluBackwardCode(operands, COUNT, 4 * COUNT);
  for (const { input, other, gradient, outputs } of runOn('swigluBackward', code, 3)) {
    const exact = reference.swigluBackward(input, other, gradient);
    expectNear(outputs[0], exact.gate, 3);
    expectNear(outputs[1], exact.up, 2);
  }
});

test('rotary turns pairs back by the angle of their position', () => {
  const position = (pe: number, token: number): number => pe * T + token;
  const table = (pe: number): Float32Array =>
    Float32Array.from({ length: COUNT }, (_, i) => {
      const [feature, token] = [Math.floor(i / T), i % T];
      const angle = position(pe, token) * 10000 ** (-(feature - (feature % 2)) / F);
      return fp16(feature % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
  const shape = elementwise('rotaryBackward', extent, machine);
  const memory = bank(PES, WORDS, (pe) => Float32Array.of(...drawHalves(COUNT, 4 + pe), ...table(pe)));
  const code = rotaryBackwardCode({ gradient: 0, output: 2 * COUNT, count: COUNT }, COUNT, T);
  const run = runStepped(local.program(shape, machine, { words: WORDS, memory, code }), latenciesOf(machine));
  for (let pe = 0; pe < PES; pe++)
    for (let token = 0; token < T; token++) {
      const head = Array.from({ length: F }, (_, f) => memory[pe * WORDS + f * T + token]);
      // Each result: a rounded table, two rounded products and a rounded sum, 2^-11 of at most |x| + |y| each.
      reference.rotaryBackward(head, position(pe, token)).forEach((exact, f) => {
        const pair = Math.abs(head[f - (f % 2)]) + Math.abs(head[f - (f % 2) + 1]);
        const got = run.memory[pe * WORDS + 2 * COUNT + f * T + token];
        expect(Math.abs(got - exact)).toBeLessThanOrEqual(3 * 2 ** -11 * pair);
      });
    }
});

test.each<SummedGradients>(['bias', 'gain', 'gainAndBias'])('sums over the tokens of a PE: %s', (of) => {
  const shape = featureSums(of, extent, machine);
  expect(shape.slots).toBe((of === 'gainAndBias' ? 2 : 1) * F * 3);
  const at = { gradient: 2 * COUNT, normalised: COUNT, sums: 3 * COUNT };
  for (const { other, gradient, outputs } of runShape(shape, featureSumsCode(of, extent, at), 5)) {
    // The reference has [token][feature].
    const turned = (words: Float32Array): number[] =>
      Array.from({ length: COUNT }, (_, i) => words[(i % F) * T + Math.floor(i / F)]);
    const { weight, bias } = gainBackward(turned(other), turned(gradient), T, F);
    const exact = { bias: [...bias], gain: [...weight], gainAndBias: [...weight, ...bias] }[of];
    // Products of fp16 are exact in fp32; each of five sums is off by 2^-24 of at most 5 * 50.
    exact.forEach((value, i) => {
      expect(Math.abs(outputs[0][i] - value)).toBeLessThanOrEqual(5 * 2 ** -24 * 250);
    });
  }
});
