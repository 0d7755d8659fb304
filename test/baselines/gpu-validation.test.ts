// How far is the model from measurements? Published kernel times (validation/, each file with its source) against the
// model as it is; nothing here is fitted. The bounds are what was measured plus a little, so that a change shows.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attentionForwardSeconds } from '../../baselines/gpu/attention.ts';
import { evaluateSpec } from '../../baselines/gpu/evaluate.ts';
import { gemmSeconds, repeatedGemmSeconds, type GemmShape } from '../../baselines/gpu/gemm.ts';
import { rooflineSeconds } from '../../baselines/gpu/peak.ts';
import { GPUS, type Gpu } from '../../baselines/gpu/presets.ts';
import { lscdSeconds, sputnikSeconds } from '../../baselines/gpu/spmm.ts';

const read = (name: string) => readFileSync(new URL(`../../validation/${name}.json`, import.meta.url), 'utf8');

const measuredOn: Readonly<Record<string, Gpu>> = { a100: GPUS['a100-80gb'], h100: GPUS.h100 };

interface Errors {
  readonly rows: number;
  readonly median: number;
  readonly p90: number;
  /** Median of the signed error; below zero the model is too fast. */
  readonly bias: number;
}

/** Of pairs of modelled and measured time. */
function errorsOf(what: string, pairs: readonly (readonly [modelled: number, measured: number])[]): Errors {
  const signed = pairs.map(([modelled, measured]) => modelled / measured - 1);
  const absolute = signed.map(Math.abs);
  const [median, p90, bias] = [quantile(absolute, 0.5), quantile(absolute, 0.9), quantile(signed, 0.5)];
  const shares = `median ${percent(median)}, p90 ${percent(p90)}, bias ${percent(bias)}`;
  console.log(`${what}: ${pairs.length} rows, ${shares}`);
  return { rows: pairs.length, median, p90, bias };
}

/** Between two values the mean of them. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  return (sorted[Math.floor(place)] + sorted[Math.ceil(place)]) / 2;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

type Seconds = (gpu: Gpu, shape: GemmShape) => number;

/** The tables were measured in a loop of 36 kernels. */
const inLoop: Seconds = (gpu, shape) => repeatedGemmSeconds(gpu, shape, 36);
const roofline: Seconds = (gpu, { m, n, k }) => rooflineSeconds(gpu, 2 * m * n * k, 2 * (m * k + k * n + m * n));

describe('dense GEMM, A100 and H100, all 600 rows', () => {
  type Row = readonly [gpu: string, m: number, n: number, k: number, microseconds: number];
  const { rows }: { rows: readonly Row[] } = JSON.parse(read('gpu-gemm'));
  const errors = (what: string, seconds: Seconds, only = '') =>
    errorsOf(
      `GEMM ${what} ${only}`,
      rows
        .filter(([gpu]) => gpu.startsWith(only))
        .map(([gpu, m, n, k, us]) => [seconds(measuredOn[gpu], { m, n, k }) * 1e6, us] as const),
    );

  test('as the tables were measured, the median error is below 6 %', () => {
    const { rows: count, median } = errors('in a loop of 36', inLoop);
    expect(count).toBe(600);
    expect(median).toBeLessThan(0.04);
    expect(errors('in a loop of 36', inLoop, 'a100').median).toBeLessThan(0.045);
    expect(errors('in a loop of 36', inLoop, 'h100').median).toBeLessThan(0.035);
  });

  test('in steady operation the model is slower, on H100 by the power limit', () => {
    expect(errors('steady', gemmSeconds).median).toBeLessThan(0.07);
    expect(errors('steady', gemmSeconds, 'a100').median).toBeLessThan(0.06);
    expect(errors('steady', gemmSeconds, 'h100').median).toBeLessThan(0.09);
  });

  test('a data-sheet roofline errs far more, in favour of the GPU', () => {
    const { median, bias } = errors('roofline', roofline);
    expect(median).toBeGreaterThan(0.25);
    expect(bias).toBeLessThan(-0.25);
  });
});

test('FlashAttention causal prefill, A100 and H100', () => {
  type Row = readonly [gpu: string, ...shape: number[]];
  const { rows }: { rows: readonly Row[] } = JSON.parse(read('gpu-attention'));
  const pairs = (least: number) =>
    rows
      .filter(([, , sequence]) => sequence >= least)
      .map(([gpu, batch, sequence, heads, kvHeads, headDim, us]) => {
        const shape = { batch, sequence, heads, kvHeads, headDim };
        return [attentionForwardSeconds(measuredOn[gpu], shape) * 1e6, us] as const;
      });
  expect(errorsOf('attention, all', pairs(0)).median).toBeLessThan(0.09);
  expect(errorsOf('attention, seq >= 1024', pairs(1024)).median).toBeLessThan(0.06);
});

interface Moved {
  readonly gpu: string;
  readonly op: string;
  readonly lab: string;
  readonly bytes: number;
  readonly us: number;
}

const reducing = ['ln', 'softmax', 'input_layernorm'];
const isEager = ({ lab }: Moved) => lab === 'neusight';
const isReducing = ({ op }: Moved) => reducing.includes(op);
const isLargeAdd = ({ lab, op, bytes }: Moved) => lab === 'vidur' && op === 'add' && bytes > 100e6;
const isOfVllm = ({ lab, op }: Moved) => lab === 'vidur' && op !== 'add';

function elementwiseErrors(what: string, meant: readonly Moved[]): Errors {
  const pairs = meant.map(({ gpu, op, bytes, us }) => {
    const [seconds] = evaluateSpec({ op: 'elementwise', gpu, kind: op, bytes });
    return [seconds * 1e6, us] as const;
  });
  return errorsOf(what, pairs);
}

describe('bandwidth-bound operators', () => {
  type Row = readonly [gpu: string, op: string, rows: number, cols: number, bytes: number, us: number, lab: string];
  const table: { rows: readonly Row[] } = JSON.parse(read('gpu-elementwise'));
  const moved = table.rows.map(([gpu, op, , , bytes, us, lab]): Moved => ({ gpu, op, lab, bytes, us }));

  test('PyTorch eager, V100 and A100', () => {
    const eager = moved.filter(isEager);
    expect(
      elementwiseErrors(
        'streaming, eager',
        eager.filter((row) => !isReducing(row)),
      ).median,
    ).toBeLessThan(0.05);
    expect(elementwiseErrors('norm, eager', eager.filter(isReducing)).median).toBeLessThan(0.11);
  });

  test('residual additions above 100 MB', () => {
    expect(elementwiseErrors('add above 100 MB, kernel time', moved.filter(isLargeAdd)).median).toBeLessThan(0.06);
  });

  // Of the small ones the tables have the time on the GPU alone, in whole microseconds; the model includes the launch.
  test('all residual additions, most of a few microseconds', () => {
    const additions = moved.filter(({ lab, op }) => lab === 'vidur' && op === 'add');
    expect(elementwiseErrors('add, kernel time', additions).median).toBeLessThan(0.35);
  });

  test('kernels of vLLM that are known to be slow are not modelled', () => {
    expect(elementwiseErrors('RMSNorm and SiluAndMul of vLLM', moved.filter(isOfVllm)).bias).toBeLessThan(-0.2);
  });
});

describe('sparse weights, A100', () => {
  interface Sparse {
    readonly M: number;
    readonly K: number;
    readonly n_batch: number;
    readonly sparsity: number;
    readonly tflops: { readonly flash_llm: number; readonly sputnik: number };
  }

  test('Flash-LLM and Sputnik at 8 and 32 tokens, which the fit saw', () => {
    const { data }: { data: readonly Sparse[] } = JSON.parse(read('gpu-unstructured-flashllm'));
    const pairs = (kernel: 'flash_llm' | 'sputnik', seconds: typeof sputnikSeconds) =>
      data.map(({ M, K, n_batch, sparsity, tflops }) => {
        const modelled = seconds(GPUS['a100-80gb'], { m: n_batch, n: M, k: K, sparsity });
        return [modelled, (2 * M * K * n_batch) / (tflops[kernel] * 1e12)] as const;
      });
    expect(errorsOf('Flash-LLM', pairs('flash_llm', lscdSeconds)).median).toBeLessThan(0.12);
    expect(errorsOf('Sputnik', pairs('sputnik', sputnikSeconds)).median).toBeLessThan(0.12);
  });

  test('2:4 at 2048 tokens, OPT-175B shapes (SparseGPT, table 8)', () => {
    const { data }: { data: readonly Structured[] } = JSON.parse(read('gpu-2to4-structured'));
    const pairs = data
      .filter(({ id }) => id.startsWith('gpu24.sparsegpt.'))
      .map(({ shape, sparse_ms }) => {
        const { M_tokens: m, N: n, K: k } = shape;
        return [gemmSeconds(GPUS['a100-80gb'], { m, n, k }, { sparse24: true }) * 1e3, sparse_ms] as const;
      });
    const { rows, p90 } = errorsOf('2:4', pairs);
    expect(rows).toBe(2);
    expect(p90).toBeLessThan(0.1);
  });

  interface Structured {
    readonly id: string;
    readonly shape: { readonly M_tokens: number; readonly N: number; readonly K: number };
    readonly sparse_ms: number;
  }
});
