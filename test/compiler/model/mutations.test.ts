// Whatever stands in a model file or in a flag, the answer is a model or an input error that says where; never another error.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDocument } from '../../../compiler/model/document.ts';
import { applyOverrides, type Overrides } from '../../../compiler/model/overrides.ts';
import { isObject, withValueAt, type Path } from '../../../compiler/model/paths.ts';
import { resolveModel } from '../../../compiler/model/resolve.ts';
import { EmulateError } from '../../../emulator/errors.ts';

const seeds: readonly object[] = [
  {
    kind: 'gpt',
    preset: 'gpt-j',
    layers: 2,
    width: 64,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    ff: 128,
    vocabulary: 100,
    context: 32,
    activation: 'gelu',
    norm: 'rmsnorm',
    positions: 'rotary',
    rotaryDim: 8,
    parallelBlocks: true,
    bias: { attention: true, mlp: false },
    tiedHead: false,
    workload: { kind: 'prefill', batch: 2, sequence: 16 },
    sparsity: { value: 0.75, kind: 'uniform', seed: 1, weights: ['qkv', 'mlpIn'] },
    machine: { preset: 'wse2', clockHz: { value: 1e9, unit: 'Hz', source: 'x' }, core: { simdFp16: 8 } },
    gpu: 'h100',
    mapping: {
      columns: 4,
      tokensPerPe: 8,
      accumulators: 2,
      rows: 3,
      accumulate: 'fp32',
      causal: true,
      gradients: { buffers: 4, sums: 90 },
    },
  },
  { kind: 'matmul', in: 64, out: 32, workload: { tokens: 8 }, sparsity: 0.5, machine: 'wse3' },
];

const inherited = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '', 'length', '0'];
const names = [
  'kind',
  'preset',
  'value',
  'unit',
  'seed',
  'weights',
  'tokens',
  'batch',
  'core',
  'simdFp16',
  'machine',
  'width',
];
const key = fc.oneof(fc.constantFrom(...inherited), fc.constantFrom(...names), fc.string());

const huge = [1e308, -1e308, 2 ** 53, 2 ** 31, 2 ** 32 - 1, -1, -0, 0, 0.1, 5e-324, Number.MAX_SAFE_INTEGER];
const words = [
  'gpt',
  'matmul',
  'gpt3-xl',
  'wse2',
  'no.json',
  '.json',
  'decode',
  'NaN',
  '\u001b[31m',
  '\0',
  'Hz',
  'fp32',
];
const junk = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, ...huge, ...words),
  fc.integer({ min: -2, max: 70 }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.constantFrom('qkv', 'mlpIn', 'x')),
  fc.dictionary(key, fc.jsonValue({ maxDepth: 1 })),
);

/** Every path of a value, its own included. */
function pathsOf(value: unknown, base: Path = []): Path[] {
  const inner = isObject(value) ? Object.entries(value).flatMap(([name, at]) => pathsOf(at, [...base, name])) : [];
  return [base, ...inner];
}

function withoutValueAt(value: unknown, path: Path): unknown {
  if (!isObject(value) || path.length === 0) return {};
  const [first, ...rest] = path;
  const entries = Object.entries(value);
  return Object.fromEntries(
    rest.length === 0
      ? entries.filter(([name]) => name !== first)
      : entries.map(([name, at]) => [name, name === first ? withoutValueAt(at, rest) : at]),
  );
}

type Mutation = (value: unknown) => unknown;

const pick = fc.nat();
const at = (value: unknown, n: number): Path => {
  const paths = pathsOf(value);
  return paths[n % paths.length];
};
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  pick.map((n) => (value: unknown) => withoutValueAt(value, at(value, n))),
  fc.tuple(pick, junk).map(
    ([n, leaf]) =>
      (value: unknown) =>
        withValueAt(value, at(value, n), leaf),
  ),
  fc.tuple(pick, key, junk).map(
    ([n, name, leaf]) =>
      (value: unknown) =>
        withValueAt(value, [...at(value, n), name], leaf),
  ),
);

const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([seed, mutations]) => mutations.reduce<unknown>((value, mutate) => mutate(value), seed));

/** "model" or "refused"; what else is thrown fails the test. */
function outcome(text: string, overrides: Overrides = {}): string {
  try {
    const model = resolveModel(applyOverrides(parseDocument('m.json', text), overrides));
    expectComplete(model);
    return 'model';
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    expect(error.code, error.message).toBe(2);
    expect(error.message).toMatch(/^(m\.json|--|no\.json|\.json)/);
    expect(error.message).not.toMatch(/\n {4}at |undefined|\[object|NaN,/);
    return 'refused';
  }
}

function expectComplete(value: unknown): void {
  expect(value).not.toBeUndefined();
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(expectComplete);
}

test('a mutated model file gives a model or an input error', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(mutated, (value) => {
      const found = outcome(JSON.stringify(value, null, 2));
      seen.set(found, (seen.get(found) ?? 0) + 1);
    }),
    { seed: 1, numRuns: 3000 },
  );
  // Both ends are reached, or the property says nothing.
  expect(seen.get('model')).toBeGreaterThan(50);
  expect(seen.get('refused')).toBeGreaterThan(500);
});

test('a damaged text gives a model or an input error', () => {
  const text = JSON.stringify(seeds[0], null, 1);
  const damage = fc.tuple(
    fc.nat(text.length),
    fc.nat(5),
    fc.oneof(fc.string(), fc.constantFrom('{', '}', '"', ',', '/*', '//', '\n')),
  );
  fc.assert(
    fc.property(damage, ([start, length, inserted]) => {
      outcome(text.slice(0, start) + inserted + text.slice(start + length));
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test('any --set gives a model or an input error', () => {
  const path = fc.array(key, { minLength: 1, maxLength: 5 }).map((keys) => keys.join('.'));
  const known = fc.constantFrom(...pathsOf(seeds[0]).map((keys) => keys.join('.')));
  const value = fc.oneof(
    junk.map((leaf) => JSON.stringify(leaf)),
    fc.string(),
  );
  const set = fc.array(
    fc.tuple(fc.oneof(path, known), value).map((pair) => pair.join('=')),
    { maxLength: 3 },
  );
  const text = fc.oneof(fc.constantFrom(...seeds), mutated).map((model) => JSON.stringify(model));
  fc.assert(
    fc.property(text, set, fc.oneof(fc.string(), fc.double(), fc.constant(undefined)), (model, set, sparsity) => {
      outcome(model, { set, sparsity });
    }),
    { seed: 1, numRuns: 2000 },
  );
});
