// The document of a run: what it holds, what its hashes cover, and the price of the GPU in it.

import { beforeAll, describe, expect, test } from 'vitest';
import { gpuResult } from '../../baselines/gpu/model.ts';
import { GPUS } from '../../baselines/gpu/presets.ts';
import { steadySeconds } from '../../baselines/gpu/steady.ts';
import { buildGraph } from '../../compiler/graph/build.ts';
import { parseDocument } from '../../compiler/model/document.ts';
import { resolveModel } from '../../compiler/model/resolve.ts';
import { canonicalJson, sha256 } from '../../report/hash.ts';
import { buildReport, idealSpeedup } from '../../report/report.ts';
import type { MainResult } from '../../run/main.ts';
import { gptFile, matmulFile, resultOf } from './ran.ts';

let gpt: MainResult;
beforeAll(async () => {
  gpt = await resultOf(gptFile);
});

function graphOf(file: Readonly<Record<string, unknown>>) {
  return buildGraph(resolveModel(parseDocument('small.json', JSON.stringify(file))));
}

describe('the document', () => {
  test('survives JSON', () => {
    const report = buildReport(gpt);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test('has what was asked, what came out and what is not in it', () => {
    const report = buildReport(gpt);
    expect(report.model).toMatchObject({ name: 'small', kind: 'gpt', sparsity: { value: 0.5, seed: 1 } });
    expect(report.wafer.cycles).toBe(gpt.wafer.cycles);
    expect(report.waferDense.sameMapping.cycles).toBe(gpt.waferDenseSameMapping.cycles);
    expect(report.operators.map(({ name }) => name)).toEqual(gpt.graph.nodes.map(({ id }) => id));
    expect(report.mapping).toMatchObject({ ...gpt.wafer.mapping, padding: gpt.wafer.padding });
    expect(report.memory).toEqual(gpt.wafer.memory);
    expect(report.notModelled.length).toBeGreaterThan(5);
  });

  test('shares of operators add up to one', () => {
    const shares = buildReport(gpt).operators.reduce((sum, { share }) => sum + share, 0);
    expect(shares).toBeCloseTo(1, 12);
  });

  test('tells which constants of the machine are not those of its preset, and who said so', () => {
    expect(buildReport(gpt).machine.differs).toEqual([
      { path: 'fabric.width', value: 8, preset: 750, unit: 'columns of PEs', source: 'set in small.json' },
      { path: 'fabric.height', value: 8, preset: 994, unit: 'rows of PEs', source: 'set in small.json' },
    ]);
  });

  test('speed-ups are ratios of seconds', () => {
    const { speedup, gpu, wafer, waferDense } = buildReport(gpt);
    expect(speedup.overGpu).toBe(gpu.seconds / wafer.seconds);
    expect(speedup.gpusEqualled).toBe(speedup.overGpu);
    expect(speedup.overDenseWafer).toBe(waferDense.seconds / wafer.seconds);
    expect(speedup.overDenseWaferSameMapping).toBe(waferDense.sameMapping.seconds / wafer.seconds);
  });

  test('says of other machines and models what holds for them', async () => {
    const banked = await resultOf({ ...matmulFile, machine: { ...matmulFile.machine, memory: { bankConflict: 2 } } });
    const text = buildReport(banked).notModelled.join('\n');
    expect(text).toContain('takes bankConflict (2) times its slots');
    expect(text).not.toContain('logits');
    expect(buildReport(gpt).notModelled.join('\n')).toContain('logits');
  });
});

describe('ideal speed-up', () => {
  test('counts attention and head in full', () => {
    // Of a token: 2 layers of 4 d^2 + 2 d ff weights, QK and AV of 2 d s a layer, the head.
    const [d, ff, s, vocabulary] = [32, 64, 16, 50];
    const weights = 2 * (4 * d * d + 2 * d * ff);
    const rest = 2 * 2 * d * s + d * vocabulary;
    expect(idealSpeedup(gpt.graph)).toBeCloseTo((weights + rest) / (weights / 2 + rest), 12);
  });

  test('is 1 / (1 - sparsity) of one matrix, and null where no weight is left', () => {
    expect(idealSpeedup(graphOf({ ...matmulFile, sparsity: 0.75 }))).toBe(4);
    expect(idealSpeedup(graphOf({ ...matmulFile, sparsity: 1 }))).toBeNull();
  });
});

describe('hashes', () => {
  test('do not depend on the host, the engines or the command line', () => {
    const { hashes } = buildReport(gpt);
    const spec = { ...gpt.spec, name: 'other', origin: { file: 'other.json', flags: ['--workers 9'] } };
    const wafer = {
      ...gpt.wafer,
      operators: gpt.wafer.operators.map((operator) => ({
        ...operator,
        steps: operator.steps.map((step) => ({ ...step, engine: 'stepped' as const, path: 'stepped mesh', why: 'so' })),
      })),
    };
    const elsewhere = buildReport({ ...gpt, spec, wafer, run: { workers: 9, wallSeconds: 99 } });
    expect(elsewhere.hashes).toEqual(hashes);
    expect(elsewhere.run).toMatchObject({ workers: 9, engines: [{ path: 'stepped mesh' }] });
  });

  test('see a cycle more, and another seed', () => {
    const { hashes } = buildReport(gpt);
    const slower = buildReport({ ...gpt, wafer: { ...gpt.wafer, cycles: gpt.wafer.cycles + 1 } });
    expect(slower.hashes.result).not.toBe(hashes.result);
    expect(slower.hashes.input).toBe(hashes.input);
    if (gpt.spec.kind !== 'gpt') throw new Error('a GPT was asked for');
    const spec = { ...gpt.spec, sparsity: { ...gpt.spec.sparsity, seed: 2 } };
    expect(buildReport({ ...gpt, spec }).hashes.input).not.toBe(hashes.input);
  });

  test('do not see the order of keys', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
    expect(sha256({ a: 1, b: 2 })).toBe(sha256({ b: 2, a: 1 }));
  });
});

describe('the GPU', () => {
  test('has a price for every node, its own or that of the kernel it is part of', () => {
    for (const positions of ['learned', 'rotary', 'none']) {
      const graph = graphOf({ ...gptFile, positions });
      const { operators, fused, seconds } = gpuResult(graph, 'h100');
      const priced = [...operators, ...fused].map(({ name }) => name).toSorted();
      expect(priced).toEqual(graph.nodes.map(({ id }) => id).toSorted());
      for (const operator of operators) expect(operator.seconds).toBeGreaterThan(0);
      expect(seconds).toBeCloseTo(
        operators.reduce((sum, operator) => sum + operator.seconds, 0),
        15,
      );
    }
  });

  test('computes all weights, whether zero or not', () => {
    const sparse = gpuResult(graphOf({ ...matmulFile, sparsity: 0.9 }), 'a100-80gb');
    expect(sparse).toEqual(gpuResult(graphOf({ ...matmulFile, sparsity: 0 }), 'a100-80gb'));
    expect(sparse.seconds).toBe(steadySeconds.gemm(GPUS['a100-80gb'], 32, 40, 64));
    expect(sparse.kappa.map(({ kappa, seconds }) => [kappa, seconds / sparse.seconds])).toEqual([
      [1, 1],
      [1.25, 1.25],
    ]);
  });

  test('runs attention once a layer', () => {
    const { operators } = gpuResult(gpt.graph, 'a100-80gb');
    const attention = operators.filter(({ name }) => name.endsWith('attn.scores'));
    const shape = { batch: 2, sequence: 16, heads: 4, kvHeads: 4, headDim: 8 };
    expect(attention.map(({ seconds }) => seconds)).toEqual(
      [0, 1].map(() => steadySeconds.attention(GPUS['a100-80gb'], shape)),
    );
  });
});
