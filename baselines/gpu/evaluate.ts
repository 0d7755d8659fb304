// The GPU model's door for single kernels: what a spec asks, checked, and the seconds of each case. A spec is one case, a
// list of cases, or {"cases": [...]}. What is left out of a GEMM case about the GPU's past means steady operation.

import { inputError } from '../../emulator/errors.ts';
import {
  attentionBackwardSeconds,
  attentionDecodeSeconds,
  attentionForwardSeconds,
  attentionUnfusedSeconds,
} from './attention.ts';
import { caseSchema, type AttentionCase, type Case, type ElementwiseCase, type GemmCase } from './caseSchema.ts';
import { elementwiseSeconds, OPERATORS } from './elementwise.ts';
import { gemmSeconds, repeatedGemmSeconds } from './gemm.ts';
import { GPUS, PCIE_BOARDS, type Gpu } from './presets.ts';
import { spelled, type Fault } from './spellings.ts';
import { bestSpmmSeconds, lscdSeconds, sputnikSeconds } from './spmm.ts';
import { STEADY } from './tensorRate.ts';

export type Parsed = { readonly cases: readonly Case[] } | { readonly faults: readonly Fault[] };

/** The cases of a spec, or all that is wrong with it. */
export function parseSpec(spec: unknown): Parsed {
  const { list, path } = casesOf(spec);
  if (list.length === 0) {
    return { faults: [{ path, on: 'value', text: 'got an empty list, allowed one case or more' }] };
  }
  const faults: Fault[] = [];
  const cases: Case[] = [];
  for (const [i, raw] of list.entries()) {
    const parsed = parseCase(raw, Array.isArray(spec) || path.length > 0 ? [...path, i] : []);
    if ('faults' in parsed) faults.push(...parsed.faults);
    else cases.push(...parsed.cases);
  }
  return faults.length > 0 ? { faults } : { cases };
}

function casesOf(spec: unknown): { list: readonly unknown[]; path: Fault['path'] } {
  if (Array.isArray(spec)) return { list: spec, path: [] };
  const isWrapped = typeof spec === 'object' && spec !== null && 'cases' in spec && Object.keys(spec).length === 1;
  if (isWrapped && Array.isArray(spec.cases)) return { list: spec.cases, path: ['cases'] };
  return { list: [spec], path: [] };
}

function parseCase(raw: unknown, path: Fault['path']): Parsed {
  const { value, given, faults } = spelled(raw, path);
  if (faults.length > 0) return { faults };
  const result = caseSchema.safeParse(value);
  if (result.success) return { cases: [result.data] };
  return {
    faults: result.error.issues.flatMap((issue) => {
      if (issue.code === 'unrecognized_keys') {
        const texts = issue.message.split('\n');
        return issue.keys.map((key, i): Fault => ({ path: [...path, key], on: 'key', text: texts[i] }));
      }
      const inside = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
      const spelling = inside.map((step) => (typeof step === 'string' ? (given.get(step) ?? step) : step));
      return [{ path: [...path, ...spelling], on: 'value' as const, text: issue.message }];
    }),
  };
}

/** Seconds of each case of a spec. */
export function evaluateSpec(spec: unknown): number[] {
  const parsed = parseSpec(spec);
  if ('faults' in parsed) {
    throw inputError(
      parsed.faults.map(({ path, text }) => [path.join('.'), text].filter(Boolean).join(': ')).join('\n'),
    );
  }
  return parsed.cases.map(evaluateCase);
}

/** Seconds of one kernel. */
export function evaluateCase(one: Case): number {
  if (one.op === 'gemm') return gemmCaseSeconds(one);
  if (one.op === 'attention') return attentionCaseSeconds(one);
  if (one.op === 'elementwise') return elementwiseCaseSeconds(one);
  return spmmMethods[one.method](GPUS[one.gpu], one);
}

const spmmMethods = { best: bestSpmmSeconds, lscd: lscdSeconds, sputnik: sputnikSeconds } as const;

const attentionPasses = {
  forward: attentionForwardSeconds,
  backward: attentionBackwardSeconds,
  decode: attentionDecodeSeconds,
  unfused: attentionUnfusedSeconds,
} as const;

function gemmCaseSeconds({ gpu, m, n, k, batch, bytes, sparse24, runSeconds = STEADY, repeats }: GemmCase): number {
  const shape = { m, n, k, batch };
  if (repeats !== undefined) return repeatedGemmSeconds(GPUS[gpu], shape, repeats, { bytes, sparse24 });
  return gemmSeconds(GPUS[gpu], shape, { bytes, sparse24, runSeconds });
}

function attentionCaseSeconds({ gpu, pass, causal, bytes, ...shape }: AttentionCase): number {
  const { batch, sequence, heads, kvHeads = heads, headDim } = shape;
  return attentionPasses[pass](GPUS[gpu], { batch, sequence, heads, kvHeads, headDim }, { causal, bytes });
}

function elementwiseCaseSeconds({ gpu, kind, bytes, rows = 0, columns = 0, elementBytes }: ElementwiseCase): number {
  const boards: Readonly<Record<ElementwiseCase['gpu'], Gpu>> = { ...GPUS, ...PCIE_BOARDS };
  const operator = OPERATORS[kind];
  return elementwiseSeconds(boards[gpu], bytes ?? operator.arrays * rows * columns * elementBytes, operator.kind);
}
