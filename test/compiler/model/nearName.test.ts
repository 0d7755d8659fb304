import { expect, test } from 'vitest';
import { ourNameFor } from '../../../compiler/model/aliases.ts';
import { nearName } from '../../../compiler/model/nearName.ts';

const keys = ['layers', 'width', 'heads', 'vocabulary', 'context', 'sequence', 'batch'];

test.each([
  ['widht', 'width'],
  ['Width', 'width'],
  ['layer', 'layers'],
  ['n_heads', 'heads'],
  ['seqence', 'sequence'],
  ['vocab', 'vocabulary'],
  ['batchSizes', 'batch'],
])('%s is near %s', (given, name) => {
  expect(nearName(given, keys)).toBe(name);
});

test.each(['', '__', 'x', 'colour', '__proto__', 'constructor', 'q'.repeat(100_000)])(
  'nothing is near %.20s',
  (given) => {
    expect(nearName(given, keys)).toBeUndefined();
  },
);

test('the beginning of a name is nearer than an edit of another', () => {
  expect(nearName('A100', ['v100', 'a100-40gb', 'a100-80gb'])).toBe('a100-40gb');
});

test('a swap of two letters is one edit', () => {
  expect(nearName('qvk', ['mlp', 'qkv'])).toBe('qkv');
});

test('a name from elsewhere is answered with ours, where ours is allowed', () => {
  expect(ourNameFor('d_model', keys)).toBe('width');
  expect(ourNameFor('seq_len', keys)).toBe('sequence');
  expect(ourNameFor('seq_len', ['workload', 'preset'])).toBe('workload.sequence');
  expect(ourNameFor('d_model', ['in', 'out'])).toBeUndefined();
});

test('a key that every object inherits is nobody’s name', () => {
  for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    expect(ourNameFor(key, keys)).toBeUndefined();
  }
});
