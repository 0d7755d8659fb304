// A training step on a GPU by operator: against the closed form that published steps were compared with, against those
// steps, and what is left out where weights are frozen.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { KAPPAS } from '../../baselines/gpu/model.ts';
import { GPUS, type GpuName } from '../../baselines/gpu/presets.ts';
import { gpuTrainingResult, type GpuTraining } from '../../baselines/gpu/training.ts';
import { trainingStepSeconds } from '../../baselines/gpu/trainingStep.ts';
import { withAdapters } from '../../compiler/graph/adapters.ts';
import { buildGraph } from '../../compiler/graph/build.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parseDocument } from '../../compiler/model/document.ts';
import { resolveModel } from '../../compiler/model/resolve.ts';
import { llamaLike, gptJLike, graphOf } from '../run/tiny.ts';

interface Case {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly batch: number;
  readonly sequence: number;
}

/** A multiple of 64, as trainers pad it. */
const vocabulary = 50_304;

function gptOf({ width, layers, heads, batch, sequence }: Case): Graph {
  const shape = { layers, width, heads, vocabulary, context: sequence, positions: 'none' };
  const file = { ...shape, workload: { batch, sequence } };
  return buildGraph(resolveModel(parseDocument('gpu.json', JSON.stringify(file))));
}

function trainingOf({ width, layers }: Case): GpuTraining {
  const parameters = 12 * layers * width * width + vocabulary * width;
  return { trained: { weights: 'all' }, parameters, recompute: false };
}

const XL: Case = { width: 2048, layers: 24, heads: 16, batch: 8, sequence: 2048 };
const SMALL: Case = { width: 768, layers: 12, heads: 12, batch: 16, sequence: 1024 };

describe('by operator it is the closed form', () => {
  const gpus: readonly GpuName[] = ['v100', 'a100-40gb', 'a100-80gb', 'h100', 'h200'];
  test.each(gpus)('on %s', (name) => {
    for (const each of [XL, SMALL]) {
      const { seconds, kappa } = gpuTrainingResult(gptOf(each), name, trainingOf(each));
      const whole = trainingStepSeconds(GPUS[name], { ...each, vocabulary });
      // Beside it: embeddings and the last norm, and a few launches.
      expect(seconds / whole).toBeGreaterThan(1);
      expect(seconds / whole).toBeLessThan(1.01);
      expect(kappa.map((at) => at.seconds / seconds)).toEqual([...KAPPAS]);
    }
  });
});

describe('against measured steps of MPT on A100s', () => {
  const { models, rows } = z
    .object({
      models: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
      rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean()]))),
    })
    .parse(JSON.parse(readFileSync(new URL('../../validation/gpu-train-mpt.json', import.meta.url), 'utf8')));

  test('steps take 1 to 1.5 times the kernels, with and without checkpoints', () => {
    let seen = 0;
    let checkpointed = 0;
    for (const row of rows) {
      const [model, sequence, , gpu, , , , batch, , , rate] = row;
      const recompute = row[14] === true;
      if (gpu !== 'a100_80gb' || sequence !== 2048 || typeof model !== 'string' || row[11] !== 'bf16') continue;
      const [width, heads, layers] = models[model];
      const each = { width, heads, layers, batch: Number(batch), sequence: 2048 };
      const { tokensPerSecond } = gpuTrainingResult(gptOf(each), 'a100-80gb', { ...trainingOf(each), recompute });
      const kappa = tokensPerSecond / Number(rate);
      expect(kappa, JSON.stringify(row)).toBeGreaterThan(1);
      expect(kappa, JSON.stringify(row)).toBeLessThan(1.5);
      seen++;
      if (recompute) checkpointed++;
    }
    expect([seen, checkpointed].every((count) => count > 0)).toBe(true);
  });
});

describe('what is done, operator by operator', () => {
  const graph = gptOf(SMALL);
  const training = trainingOf(SMALL);
  const all = gpuTrainingResult(graph, 'a100-80gb', training);
  const secondsOf = ({ operators }: typeof all, name: string): number =>
    operators.find((each) => each.name === name)?.seconds ?? Number.NaN;

  test('every node has a price or is within a kernel that has one', () => {
    for (const tiny of [graph, graphOf(llamaLike, 2, 16), graphOf(gptJLike, 2, 16)]) {
      const { operators, fused } = gpuTrainingResult(tiny, 'h100', training);
      const named = [...operators, ...fused].map(({ name }) => name).toSorted();
      expect(named).toEqual([...tiny.nodes.map(({ id }) => id), 'optimiser'].toSorted());
    }
  });

  test('checkpoints run the layers forward once more, and nothing else', () => {
    const again = gpuTrainingResult(graph, 'a100-80gb', { ...training, recompute: true });
    const longer = again.operators.filter(({ name, seconds }) => seconds > secondsOf(all, name));
    expect(longer.map(({ name }) => name)).toEqual(
      all.operators.map(({ name }) => name).filter((name) => name.startsWith('h.')),
    );
    expect(again.seconds / all.seconds).toBeGreaterThan(1.15);
    expect(again.seconds / all.seconds).toBeLessThan(1.34);
  });

  test('frozen weights save their gradients and the optimiser, and adapters cost little', () => {
    const adapted = withAdapters(graph, { rank: 8, targets: ['qkv'] });
    const parameters = SMALL.layers * 8 * (SMALL.width + 3 * SMALL.width);
    const lora = gpuTrainingResult(adapted, 'a100-80gb', {
      trained: { weights: 'adapters' },
      parameters,
      recompute: false,
    });
    expect(secondsOf(lora, 'h.0.mlp.c_fc')).toBeLessThan(0.75 * secondsOf(all, 'h.0.mlp.c_fc'));
    expect(secondsOf(lora, 'optimiser')).toBeLessThan(secondsOf(all, 'optimiser') / 50);
    expect(secondsOf(lora, 'h.0.attn.scores')).toBe(secondsOf(all, 'h.0.attn.scores'));
    expect(secondsOf(lora, 'h.0.attn.c_attn.lora_A')).toBeGreaterThan(0);
    expect(lora.seconds).toBeLessThan(0.85 * all.seconds);
  });
});
