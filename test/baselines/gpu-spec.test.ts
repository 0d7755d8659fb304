// Does a spec file say what its writer meant, and is what is wrong with it told so that it can be put right?

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import yargs from 'yargs';
import { evaluateSpec, parseSpec } from '../../baselines/gpu/evaluate.ts';
import type { Io } from '../../cli/io.ts';
import { baselineCommand, baselineLines } from '../../cli/commands/baseline.ts';
import { EXIT } from '../../emulator/errors.ts';

const gemm = { op: 'gemm', gpu: 'a100-80gb', m: 4096, n: 4096, k: 4096 };
const attention = { op: 'attention', gpu: 'h100', batch: 2, sequence: 2048, heads: 32, kvHeads: 8, headDim: 128 };
const elementwise = { op: 'elementwise', gpu: 'h200', bytes: 3 * 2 * 8192 * 4096, kind: 'add' };

describe('spellings', () => {
  test.each([
    ['GPU names', gemm, { ...gemm, gpu: 'A100' }],
    ['GPU names of drivers', gemm, { ...gemm, gpu: 'NVIDIA A100-SXM4-80GB' }],
    ['words for m, n, k', gemm, { op: 'gemm', gpu: 'a100', tokens: 4096, out_features: 4096, inFeatures: 4096 }],
    ['capital letters', gemm, { op: 'GEMM', GPU: 'A100', M: 4096, N: 4096, K: 4096 }],
    ['defaults spelled out', gemm, { ...gemm, batch: 1, bytes: 2, sparse24: false }],
    [
      'columns of attention tables',
      attention,
      { op: 'attention', gpu: 'h100', batch: 2, seq: 2048, q_heads: 32, kv_heads: 8, head_dim: 128 },
    ],
    [
      'letters and config.json names',
      attention,
      { op: 'attention', gpu: 'h100', b: 2, s: 2048, num_heads: 32, num_key_value_heads: 8, d: 128, causal: true },
    ],
    ['the pass in the name', { ...attention, pass: 'backward' }, { ...attention, op: 'attention_bwd' }],
    ['the other name of a pass', attention, { ...attention, pass: 'prefill' }],
    ['a kind as the operator', elementwise, { op: 'add', gpu: 'h200-sxm', rows: 8192, cols: 4096 }],
    ['a kind as the kernel class', elementwise, { ...elementwise, kind: 'stream' }],
    ['bytes beside rows and columns', elementwise, { ...elementwise, rows: 8192, cols: 4096 }],
  ])('%s', (_, ours, theirs) => {
    expect(evaluateSpec(theirs)).toEqual(evaluateSpec(ours));
  });

  test('one case, a list, and {"cases": [...]} are read alike', () => {
    const [one] = evaluateSpec(gemm);
    expect(evaluateSpec([gemm, gemm])).toEqual([one, one]);
    expect(evaluateSpec({ cases: [gemm] })).toEqual([one]);
  });
});

const gemmWith = (more: object) => evaluateSpec({ ...gemm, ...more })[0];
const squareOnA100 = (m: number) => evaluateSpec({ op: 'gemm', gpu: 'a100', m, n: 12288, k: 12288 })[0];

describe('what the fields do', () => {
  test('steady operation is the default and the slowest', () => {
    expect(gemmWith({ runSeconds: 0 })).toBeLessThan(gemmWith({ repeats: 36 }));
    expect(gemmWith({ repeats: 36 })).toBeLessThan(gemmWith({}));
    expect(gemmWith({ runSeconds: 1e6 })).toBeCloseTo(gemmWith({}), 9);
  });

  test('a loop of many repeats is steady, and its time is the fixed point', () => {
    expect(gemmWith({ repeats: 10_000_000 })).toBeCloseTo(gemmWith({}), 8);
    const looped = gemmWith({ repeats: 36 });
    expect(gemmWith({ runSeconds: 36 * looped })).toBeCloseTo(looped, 14);
  });

  test('2:4 weights are faster than dense ones', () => {
    expect(gemmWith({ sparse24: true })).toBeLessThan(0.7 * gemmWith({}));
  });

  test('odd feature counts are slower than the multiple of eight above them', () => {
    expect(gemmWith({ n: 4095 })).toBeGreaterThan(2 * gemmWith({}));
  });

  test('each pass of attention has its own time', () => {
    const passes = ['forward', 'backward', 'decode', 'unfused'].map((pass) => evaluateSpec({ ...attention, pass })[0]);
    const [forward, backward, decode, unfused] = passes;
    expect(decode).toBeLessThan(forward);
    expect(forward).toBeLessThan(backward);
    expect(backward).toBeLessThan(unfused);
    expect(evaluateSpec({ ...attention, causal: false })[0]).toBeGreaterThan(1.5 * forward);
  });

  test('sparse weights: the best is never slower than dense, and gains with zeros only for few tokens', () => {
    const spmm = { op: 'spmm', gpu: 'a100', n: 12288, k: 12288, sparsity: 0.8 };
    expect(evaluateSpec({ ...spmm, m: 8 })[0]).toBeLessThan(squareOnA100(8) / 1.6);
    expect(evaluateSpec({ ...spmm, m: 4096 })[0]).toBe(squareOnA100(4096));
    expect(evaluateSpec({ ...spmm, m: 4096, method: 'sputnik' })[0]).toBeGreaterThan(squareOnA100(4096));
  });

  test('PCIe boards stand for their memory only', () => {
    expect(evaluateSpec({ ...elementwise, gpu: 'a100-80-pcie' })[0]).toBeGreaterThan(
      evaluateSpec({ ...elementwise, gpu: 'a100' })[0],
    );
    expect(() => evaluateSpec({ ...gemm, gpu: 'a100-80-pcie' })).toThrow('gpu: got "a100-80gb-pcie", allowed "v100"');
  });
});

describe('faults name the field as it was written, what was got, what is allowed', () => {
  test.each([
    [{ ...gemm, gpu: 'b200' }, 'gpu: got "b200", allowed "v100", "a100-40gb", "a100-80gb", "h100", "h200"'],
    [{ ...gemm, m: 0 }, 'm: got 0, allowed a whole number of at least 1'],
    [{ ...gemm, k: 12.5 }, 'k: got 12.5, allowed a whole number of at least 1'],
    [{ ...gemm, m: '8' }, 'm: got "8", allowed a whole number of at least 1'],
    [{ op: 'gemm', gpu: 'h100', n: 1, k: 1 }, 'm: missing, allowed a whole number of at least 1'],
    [{ ...gemm, tile: 128 }, 'tile: unknown field "tile", allowed op, gpu, m, n, k, batch, bytes'],
    [{ ...gemm, op: 'gem' }, 'op: got "gem", allowed "gemm", "attention", "elementwise", "spmm"'],
    [{ gpu: 'h100' }, 'op: missing, allowed "gemm"'],
    [{ ...gemm, runSeconds: 1, repeats: 2 }, 'repeats: given together with runSeconds'],
    [{ ...gemm, runSeconds: -1 }, 'runSeconds: got -1, allowed seconds, 0 or more'],
    [{ ...gemm, tokens: 5 }, 'tokens: m is given twice, as "m" and as "tokens"'],
    [{ ...attention, kvHeads: 5 }, 'kvHeads: got 5, allowed a divisor of the 32 query heads'],
    [{ op: 'attention', gpu: 'h100', seq: -1, q_heads: 1, d: 64 }, 'seq: got -1, allowed'],
    [{ op: 'elementwise', gpu: 'h100' }, 'bytes: missing, allowed bytes moved'],
    [{ ...elementwise, kind: 'conv' }, 'kind: got "conv", allowed "stream", "norm"'],
    [{ op: 'spmm', gpu: 'h100', m: 1, n: 1, k: 1, sparsity: 75 }, 'sparsity: got 75, allowed a share of zeros'],
    [[], 'got an empty list'],
    [[gemm, 7], '1: got 7, allowed an object'],
    [{ cases: [gemm, { ...gemm, n: null }] }, 'cases.1.n: got null, allowed'],
    ['gemm', 'got "gemm", allowed an object'],
  ])('%j', (spec, message) => {
    expect(() => evaluateSpec(spec)).toThrow(message);
    expect(() => evaluateSpec(spec)).toThrow(expect.objectContaining({ code: EXIT.input }));
  });

  test('all faults of all cases are told at once', () => {
    const parsed = parseSpec([{ ...gemm, m: 0, n: 0 }, gemm, { ...gemm, gpu: 'tpu' }]);
    expect('faults' in parsed && parsed.faults.map(({ path }) => path.join('.'))).toEqual(['0.m', '0.n', '2.gpu']);
  });
});

const written: string[] = [];
const stdout = {
  isTTY: false,
  write: (text: string): Promise<void> => {
    written.push(text);
    return Promise.resolve();
  },
};
const io: Io = { stdout, stderr: stdout, env: {}, signal: new AbortController().signal };
const baseline = baselineCommand(io);

async function asked(line: string): Promise<object> {
  return yargs()
    .command({ ...baseline, handler: () => {} })
    .strict()
    .parseAsync(line);
}

describe('emulate baseline', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baseline-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const specFile = (text: string): string => {
    const file = join(folder, 'spec.json');
    writeFileSync(file, text);
    return file;
  };

  test('prints one JSON line a case, in order', () => {
    const lines = baselineLines(specFile(JSON.stringify([gemm, attention, elementwise])));
    const times = lines
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(times).toEqual(evaluateSpec([gemm, attention, elementwise]).map((seconds) => ({ seconds })));
    expect(lines.endsWith('}\n')).toBe(true);
  });

  test('takes - for stdout, which is the default', async () => {
    expect(await asked('baseline --spec a.json --json -')).toMatchObject({ spec: 'a.json', json: '-' });
    expect(await asked('baseline --spec a.json')).toMatchObject({ spec: 'a.json', json: '-' });
  });

  test('writes to stdout, or to a file', async () => {
    const spec = specFile(JSON.stringify(gemm));
    await baseline.handler({ _: [], $0: 'emulate', spec, json: '-' });
    const json = join(folder, 'times.jsonl');
    await baseline.handler({ _: [], $0: 'emulate', spec, json });
    expect(readFileSync(json, 'utf8')).toBe(baselineLines(spec));
    expect(written).toEqual([baselineLines(spec)]);
    await expect(async () => baseline.handler({ _: [], $0: 'emulate', spec, json: folder })).rejects.toThrow(
      expect.objectContaining({ code: EXIT.input }),
    );
  });

  test('points at the line of a fault, and exits 2', () => {
    const file = specFile('[\n  {"op": "gemm", "gpu": "h100",\n   "m": 8, "n": 0, "k": 8}\n]\n');
    expect(() => baselineLines(file)).toThrow(`${file}:3:17 0.n: got 0, allowed a whole number of at least 1`);
    expect(() => baselineLines(specFile('{"op": gemm}'))).toThrow(/spec\.json:1:8: not JSON/);
    expect(() => baselineLines(join(folder, 'none.json'))).toThrow('no such file');
    expect(() => baselineLines(file)).toThrow(expect.objectContaining({ code: EXIT.input }));
  });
});
