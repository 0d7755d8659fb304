import { expect, test } from 'vitest';
import { parseDocument } from '../../../compiler/model/document.ts';
import { resolveModel } from '../../../compiler/model/resolve.ts';
import { refusal } from './written.ts';

const resolved = (model: object) => resolveModel(parseDocument('m.json', JSON.stringify(model)));

const tiny = { layers: 2, width: 64, heads: 4, vocabulary: 100, context: 32 };

test('a GPT of five sizes is filled in as GPT-2 would be', () => {
  expect(resolved(tiny)).toMatchObject({
    kind: 'gpt',
    name: 'm',
    preset: null,
    origin: { file: 'm.json', flags: [] },
    shape: {
      ...tiny,
      kvHeads: 4,
      headDim: 16,
      ff: 256,
      activation: 'gelu',
      norm: 'layernorm',
      positions: 'learned',
      rotaryDim: 0,
      parallelBlocks: false,
      bias: { attention: true, mlp: true },
      tiedHead: true,
    },
    workload: { kind: 'prefill', recompute: 'layer', batch: 1, sequence: 32, tokens: 32 },
    sparsity: { kind: 'uniform', value: 0, seed: 1, weights: ['qkv', 'attentionOut', 'mlpIn', 'mlpOut'] },
    machine: { preset: 'wse2', file: null, overridden: [] },
    gpu: 'a100-80gb',
    mapping: {
      columns: null,
      groups: null,
      tokensPerPe: null,
      accumulators: null,
      rows: null,
      accumulate: 'fp16',
      causal: true,
    },
  });
});

test('fields beside a preset replace its own, and what follows from them follows', () => {
  const model = resolved({ preset: 'llama-7b', heads: 64, positions: 'rotary', bias: { mlp: true } });
  expect(model).toMatchObject({
    name: 'llama-7b (modified)',
    preset: 'llama-7b',
    shape: { heads: 64, kvHeads: 64, headDim: 64, rotaryDim: 64, ff: 11008, bias: { attention: false, mlp: true } },
  });
});

test('GPT-J keeps its 64 rotated features, and none when its positions are learned', () => {
  expect(resolved({ preset: 'gpt-j' })).toMatchObject({ name: 'gpt-j', shape: { rotaryDim: 64, headDim: 256 } });
  expect(resolved({ preset: 'gpt-j', positions: 'learned' })).toMatchObject({ shape: { rotaryDim: 0 } });
});

test('a matrix takes its tokens, or batch and sequence', () => {
  const matrix = { kind: 'matmul', in: 12288, out: 12288 };
  expect(resolved({ ...matrix, workload: { tokens: 4096 }, sparsity: 0.5 })).toMatchObject({
    kind: 'matmul',
    shape: { in: 12288, out: 12288 },
    workload: { kind: 'prefill', recompute: 'layer', batch: 1, sequence: 4096, tokens: 4096 },
    sparsity: { kind: 'uniform', value: 0.5, seed: 1 },
  });
  expect(resolved({ ...matrix, workload: { kind: 'prefill', batch: 2, sequence: 8 } })).toMatchObject({
    workload: { batch: 2, sequence: 8, tokens: 16 },
  });
});

test('a sparsity names its matrices once each, in the order of a layer, and may leave no weight', () => {
  const model = resolved({ ...tiny, sparsity: { value: 1, seed: 7, weights: ['mlpOut', 'qkv', 'qkv'] } });
  expect(model.sparsity).toEqual({ kind: 'uniform', value: 1, seed: 7, weights: ['qkv', 'mlpOut'] });
});

test('what comes out is frozen throughout', () => {
  const model = resolved(tiny);
  expect(Object.isFrozen(model) && Object.isFrozen(model.shape) && Object.isFrozen(model.machine.machine.core)).toBe(
    true,
  );
});

// ¦ is where the fault is shown; TINY stands for the five sizes of `tiny`.
const sizes = JSON.stringify(tiny).slice(1, -1);

test.each([
  [
    '¦{}',
    ': missing layers, width, heads, vocabulary, context; give them, or a shape to start from, e.g. "preset": "gpt3-xl"',
  ],
  ['¦[]', ': wrong type, got an empty list, allowed an object'],
  [
    '{TINY, "kind": ¦"matmull", "x": 1}',
    ' kind: unknown value, got "matmull", allowed "gpt", "matmul", did you mean "matmul"?',
  ],
  ['{¦"d_model": 3, TINY}', ': unknown key, got "d_model", did you mean "width"?'],
  ['{¦"seq_len": 3, TINY}', ': unknown key, got "seq_len", did you mean "workload.sequence"?'],
  ['{"layers": ¦"2"}', ' layers: wrong type, got "2", allowed a whole number 1 to 1024'],
  ['{"layers": ¦1.5}', ' layers: wrong type, got 1.5, allowed a whole number 1 to 1024'],
  ['{"layers": ¦0}', ' layers: out of range, got 0, allowed a whole number 1 to 1024'],
  ['{"layers": ¦1e300}', ' layers: out of range, got 1e+300, allowed a whole number 1 to 1024'],
  ['{"layers": ¦1e999}', ' layers: wrong type, got Infinity, allowed a whole number 1 to 1024'],
  ['{"layers": ¦null}', ' layers: wrong type, got null, allowed a whole number 1 to 1024'],
  [
    '{"activation": ¦"geglu"}',
    ' activation: unknown value, got "geglu", allowed "gelu", "relu", "swiglu", did you mean "gelu"?',
  ],
  ['{"bias": ¦"yes"}', ' bias: wrong type, got "yes", allowed true or false, or an object'],
  ['{"bias": {"mlp": ¦1}}', ' bias.mlp: wrong type, got 1, allowed true or false'],
  ['{"sparsity": ¦1.01}', ' sparsity: out of range, got 1.01, allowed a number 0 to 1'],
  ['{"sparsity": ¦"0.75"}', ' sparsity: wrong type, got "0.75", allowed a number 0 to 1, or an object'],
  ['{"sparsity": ¦{"seed": 1}}', ' sparsity.value: missing, allowed a number 0 to 1'],
  [
    '{"sparsity": {"value": 0, ¦"vlaue": 2}}',
    ' sparsity: unknown key, got "vlaue", allowed value, kind, seed, weights, did you mean "value"?',
  ],
  [
    '{"sparsity": {"value": 0, "weights": ¦[]}}',
    ' sparsity.weights: wrong length, got an empty list, allowed 1 to 4 names',
  ],
  [
    '{"sparsity": {"value": 0, "weights": ¦{"length": {"toString": null}}}}',
    ' sparsity.weights: wrong type, got an object, allowed a list of "qkv", "attentionOut", "mlpIn", "mlpOut"',
  ],
  ['{"name": ¦""}', ' name: wrong length, got "", allowed text of 1 to 80 characters'],
  ['{"name": ¦{"length": {"toString": null}}}', ' name: wrong type, got an object, allowed text'],
  [
    '{"sparsity": {"value": 0, "weights": ["qkv", ¦"mlpin"]}}',
    ' sparsity.weights.1: unknown value, got "mlpin", allowed "qkv", "attentionOut", "mlpIn", "mlpOut", did you mean "mlpIn"?',
  ],
  [
    '{TINY, "workload": {"kind": ¦"decode"}}',
    ' workload.kind: not supported, got "decode", allowed "prefill" or "train": this version emulates no decoding',
  ],
  [
    '{TINY, "workload": {"kind": "train", "recompute": ¦"all"}}',
    ' workload.recompute: unknown value, got "all", allowed "none", "layer"',
  ],
  [
    '{TINY, "workload": {"kind": ¦"prefil"}}',
    ' workload.kind: unknown value, got "prefil", allowed "prefill", "train", did you mean "prefill"?',
  ],
  [
    '{TINY, "workload": {"sequence": ¦33}}',
    ' workload.sequence: longer than the context, got 33, allowed a whole number 1 to 32',
  ],
  [
    '{"preset": "gpt2-xl", "workload": {"sequence": ¦1025}}',
    ' workload.sequence: longer than the context of gpt2-xl, got 1025, allowed a whole number 1 to 1024',
  ],
  [
    '{"preset": "gpt3-xl", "heads": ¦24}',
    ' heads: width does not divide into heads, got 2048 / 24, allowed a width that is a multiple of heads',
  ],
  [
    '{"preset": "gpt3-xl", "heads": 24, "headDim": ¦128}',
    ' headDim: heads x headDim is not width, got 24 x 128 = 3072, allowed 2048',
  ],
  ['{TINY, "kvHeads": ¦3}', ' kvHeads: heads do not divide into kvHeads, got 4 / 3, allowed a divisor of 4'],
  [
    '{TINY, "rotaryDim": ¦4}',
    ' rotaryDim: nothing rotates, got positions "learned", allowed only with positions "rotary"',
  ],
  [
    '{TINY, "rotaryDim": ¦3, "positions": "rotary"}',
    ' rotaryDim: not pairs of features of a head, got 3, allowed an even number up to headDim 16',
  ],
  [
    '{TINY, "rotaryDim": ¦18, "positions": "rotary"}',
    ' rotaryDim: not pairs of features of a head, got 18, allowed an even number up to headDim 16',
  ],
  [
    '{"preset": "gpt3-xl", "width": 48, "heads": ¦16, "positions": "rotary"}',
    ' heads: not pairs of features of a head, got 3, allowed an even number up to headDim 3',
  ],
  [
    '{TINY, "context": 16777216, "workload": {"batch": ¦1048576}}',
    ' workload.batch: too many tokens, got 1048576 x 16777216 = 17592186044416, allowed 2147483647; take a smaller batch',
  ],
  [
    '{TINY, "gpu": ¦"h1000"}',
    ' gpu: unknown value, got "h1000", allowed "v100", "a100-40gb", "a100-80gb", "h100", "h200", did you mean "h100"?',
  ],
  [
    '{TINY, "mapping": {¦"C": 96}}',
    ' mapping: unknown key, got "C", allowed columns, groups, tokensPerPe, accumulators, rows, accumulate, causal, gradients, did you mean "columns"?',
  ],
  [
    '{"kind": "matmul", "in": 4, "out": 4, "workload": ¦{}}',
    ' workload: missing tokens (or sequence); a matrix has no context to take them from, e.g. {"tokens": 2048}',
  ],
  [
    '{"kind": "matmul", "in": 4, "out": 4, "workload": {¦"tokens": 4, "batch": 1}}',
    ' workload: tokens beside batch and sequence, allowed either; leave one out',
  ],
  ['¦{"kind": "matmul", "in": 4, "out": 4}', ' workload: missing, allowed an object'],
  [
    '{"kind": "matmul", "in": 4, "out": 4, "workload": {"tokens": 4}, "mapping": {"causal": ¦true}}',
    ' mapping.causal: a matmul has no attention; leave it out',
  ],
  [
    '{"kind": "matmul", "in": 4, "out": 4, "workload": {"tokens": 4}, "mapping": {"gradients": ¦{"sums": 9}}}',
    ' mapping.gradients: a matmul has no training step; leave it out',
  ],
])('%s is refused', (marked, message) => {
  const text = marked.replace('TINY', sizes);
  const column = text.indexOf('¦') + 1;
  const [first] = refusal(() => resolveModel(parseDocument('m.json', text.replace('¦', '')))).split('\n');
  expect(first).toBe(`m.json:1:${column}${message}`);
});

test('several faults give several messages, in the order of the file', () => {
  const text = '{\n  "preset": "gpt3-xl",\n  "gpu": "tpu",\n  "widht": 1,\n  "workload": {"batch": 0}\n}';
  expect(refusal(() => resolveModel(parseDocument('m.json', text)))).toBe(
    [
      'm.json:3:10 gpu: unknown value, got "tpu", allowed "v100", "a100-40gb", "a100-80gb", "h100", "h200"',
      '  3 |   "gpu": "tpu",',
      '    |          ^',
      'm.json:4:3: unknown key, got "widht", did you mean "width"?',
      '  4 |   "widht": 1,',
      '    |   ^',
      'm.json:5:25 workload.batch: out of range, got 0, allowed a whole number 1 to 1048576',
      '  5 |   "workload": {"batch": 0}',
      '    |                         ^',
    ].join('\n'),
  );
});

test('of a hundred faults the first twelve are shown', () => {
  const junk = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`junk${i}`, i]));
  const lines = refusal(() => resolved({ ...tiny, ...junk })).split('\n');
  expect(lines).toHaveLength(3 * 12 + 1);
  expect(lines.at(-1)).toBe('and 88 more');
});

test('of equal keys the last is the one that counts and the one shown', () => {
  const text = '{"preset": "gpt3-xl", "gpu": "h100", "gpu": "h1000"}';
  expect(refusal(() => resolveModel(parseDocument('m.json', text)))).toMatch(
    /^m.json:1:45 gpu: unknown value, got "h1000"/,
  );
});
