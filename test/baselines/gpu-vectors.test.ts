// Do the formulas compute what they are meant to? Golden outputs of the reference implementation that the constants were
// fitted with, every row to the digits printed, and the tile that a GEMM takes.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES, FITTED } from '../../baselines/gpu/architectures.ts';
import {
  attentionBackwardSeconds,
  attentionDecodeSeconds,
  attentionForwardSeconds,
  attentionUnfusedSeconds,
} from '../../baselines/gpu/attention.ts';
import { elementwiseSeconds, type ElementwiseKind } from '../../baselines/gpu/elementwise.ts';
import { evaluateSpec } from '../../baselines/gpu/evaluate.ts';
import { gemm } from '../../baselines/gpu/gemm.ts';
import { GPUS, gpuNameOf, type Gpu } from '../../baselines/gpu/presets.ts';
import { lscdSeconds, sputnikSeconds } from '../../baselines/gpu/spmm.ts';
import { trainingStepSeconds } from '../../baselines/gpu/trainingStep.ts';

interface Keywords {
  readonly run_len?: number;
  readonly sparse24?: boolean;
  readonly batch?: number;
  readonly kind?: ElementwiseKind;
}

type Row = readonly [
  name: string,
  gpu: string,
  args: readonly number[],
  keywords: Keywords,
  microseconds: number,
  tile?: readonly number[],
];

interface Vectors {
  readonly constants: {
    readonly ARCH: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly SHARED: Readonly<Record<string, number>>;
    readonly GPUS: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  };
  readonly rows: readonly Row[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../vectors/gpu-model-vectors.json', import.meta.url), 'utf8'),
);

const presets: Readonly<Record<string, Gpu>> = GPUS;
const gpuCalled = (name: string): Gpu => presets[gpuNameOf(name)];

function gemmOf(gpu: Gpu, [m, n, k]: readonly number[], { batch = 1, run_len, sparse24 = false }: Keywords) {
  return gemm(gpu, { m, n, k, batch }, { sparse24, ...(run_len !== undefined && { runSeconds: run_len }) });
}

const attentionShape = ([batch, sequence, heads, kvHeads, headDim]: readonly number[]) => ({
  batch,
  sequence,
  heads,
  kvHeads,
  headDim,
});
const sparseShape = ([n, k, m, sparsity]: readonly number[]) => ({ m, n, k, sparsity });

type Timed = (gpu: Gpu, args: readonly number[], keywords: Keywords) => number;

const functions: Readonly<Record<string, Timed>> = {
  gemm: (gpu, args, keywords) => gemmOf(gpu, args, keywords).seconds,
  attention_fwd: (gpu, args) => attentionForwardSeconds(gpu, attentionShape(args)),
  attention_bwd: (gpu, args) => attentionBackwardSeconds(gpu, attentionShape(args)),
  attention_decode: (gpu, args) => attentionDecodeSeconds(gpu, attentionShape(args)),
  attention_unfused: (gpu, [batch, sequence, heads, headDim]) =>
    attentionUnfusedSeconds(gpu, { batch, sequence, heads, headDim }),
  elementwise: (gpu, [bytes], { kind }) => elementwiseSeconds(gpu, bytes, kind),
  spmm_lscd: (gpu, args) => lscdSeconds(gpu, sparseShape(args)),
  spmm_sputnik: (gpu, args) => sputnikSeconds(gpu, sparseShape(args)),
  gpt_step: (gpu, [width, layers, heads, vocabulary, sequence, batch]) =>
    trainingStepSeconds(gpu, { width, layers, heads, vocabulary, sequence, batch }),
};

const counts = {
  gemm: 180,
  attention_fwd: 15,
  attention_bwd: 15,
  attention_decode: 15,
  attention_unfused: 15,
  elementwise: 30,
  spmm_lscd: 30,
  spmm_sputnik: 30,
  gpt_step: 5,
};

/** The vectors print six decimals of a microsecond, training steps three. */
const PRINTED = 0.5e-6;

describe('golden vectors', () => {
  test('have no function that is not tested here', () => {
    expect(vectors.rows.length).toBe(335);
    expect([...new Set(vectors.rows.map(([name]) => name))].sort()).toEqual(Object.keys(counts).sort());
  });

  test.each(Object.entries(counts))('every row of %s, %i of them', (name, count) => {
    const rows = vectors.rows.filter((row) => row[0] === name);
    expect(rows.length).toBe(count);
    for (const [, gpu, args, keywords, microseconds] of rows) {
      const got = functions[name](gpuCalled(gpu), args, keywords) * 1e6;
      const row = `${name} ${gpu} ${JSON.stringify(args)} ${JSON.stringify(keywords)}`;
      const printed = name === 'gpt_step' ? PRINTED * 1e3 : PRINTED;
      expect(Math.abs(got - microseconds), `${row}: got ${got}, printed ${microseconds}`).toBeLessThan(2 * printed);
    }
  });

  test('a GEMM takes the tile and the split of the reference', () => {
    for (const [, gpu, args, keywords, , tile] of vectors.rows.filter(([name]) => name === 'gemm')) {
      const taken = gemmOf(gpuCalled(gpu), args, keywords);
      expect([...taken.tile, taken.split], `${gpu} ${JSON.stringify(args)}`).toEqual(tile);
    }
  });

  test('a spec file gives the same times as the functions', () => {
    const [name, gpu, [m, n, k], , microseconds] = vectors.rows[vectors.rows.findIndex((row) => row[1] === 'h100')];
    expect(name).toBe('gemm');
    expect(evaluateSpec({ op: 'gemm', gpu, m, n, k })[0] * 1e6).toBeCloseTo(microseconds, 5);
  });
});

const architectureFields = {
  eta_tc: 'tensorEfficiency',
  eta_hbm: 'hbmEfficiency',
  l2_fill: 'l2Fill',
  store_exp: 'storeExposed',
  t0: 'launch',
  throttle: 'throttle',
  eta_att: 'attentionEfficiency',
  att64: 'attentionHead64',
  t_cta: 'attentionBlock',
  beta_bwd: 'attentionBackward',
  eta_kv: 'decodeHbmEfficiency',
  t_dec: 'decodeFixed',
  t_dcta: 'decodeWave',
} as const;

const fittedFields = {
  p: 'overlap',
  t_split: 'split',
  tau: 'throttleTime',
  eta_stream: 'streamEfficiency',
  eta_norm: 'normEfficiency',
  t_ew: 'elementwiseLaunch',
  dec_elem: 'unpackRate',
  sput_a: 'sputnikNonZero',
  sput_b: 'sputnikToken',
  kappa: 'stepOverKernels',
} as const;

describe('constants', () => {
  test.each(['volta', 'ampere', 'hopper'] as const)('of %s are those of the fit', (name) => {
    const fit = vectors.constants.ARCH[name];
    expect(Object.keys(fit).sort()).toEqual(Object.keys(architectureFields).sort());
    for (const [theirs, ours] of Object.entries(architectureFields)) {
      expect(ARCHITECTURES[name][ours], theirs).toBeCloseTo(fit[theirs], 15);
    }
  });

  test('that all share are those of the fit', () => {
    expect(Object.keys(vectors.constants.SHARED).sort()).toEqual(Object.keys(fittedFields).sort());
    for (const [theirs, ours] of Object.entries(fittedFields)) {
      const fitted = vectors.constants.SHARED[theirs];
      expect(Math.abs(FITTED[ours] / fitted - 1), theirs).toBeLessThan(1e-12);
    }
  });

  test('of each GPU are those of the fit, and make its data-sheet peak', () => {
    for (const [name, { sm, clk, fpc, bw, l2 }] of Object.entries(vectors.constants.GPUS)) {
      const { sms, clockHz, flopPerCycle, hbmBandwidth, l2Bytes, peakFlops } = gpuCalled(name);
      expect([sms, clockHz, flopPerCycle, hbmBandwidth, l2Bytes]).toEqual([sm, clk, fpc, bw, l2]);
      expect(Math.abs((sms * clockHz * flopPerCycle) / peakFlops - 1), name).toBeLessThan(0.003);
    }
  });
});
