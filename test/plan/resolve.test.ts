// Plan files: what each kind of phase becomes, and every fault said where it is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../compiler/model/document.ts';
import { EmulateError, EXIT } from '../../emulator/errors.ts';
import { maskUpdates } from '../../plan/plan.ts';
import { loadPlan, resolvePlan } from '../../plan/resolve.ts';
import { folderWith } from '../cli/emulated.ts';
import { phase, planOf, planText, tinyShape } from './planned.ts';

function refusal(fields: object): string {
  return refusalOf(planText(fields));
}

function refusalOf(text: string): string {
  try {
    resolvePlan(parseDocument('plan.json', text));
  } catch (error) {
    if (!(error instanceof EmulateError)) throw error;
    expect(error.code).toBe(EXIT.input);
    return error.message;
  }
  throw new Error('was accepted');
}

function stepsOf(length: object): number {
  const { name, batch, sequence } = phase;
  return planOf({ phases: [{ name, batch, sequence, ...length }] }).phases[0].stages[0].steps;
}

function zerosOf(fields: object): number {
  return planOf(fields).phases[0].stages[0].sparsity.value;
}

describe('phases', () => {
  test('kinds follow from what is given', () => {
    const stages = [
      { tokens: 64, sparsity: 0.75 },
      { tokens: 64, sparsity: 0.5 },
    ];
    const { name, batch, sequence } = { ...phase, name: 'again' };
    const { phases } = planOf({
      sparsity: 0.75,
      phases: [
        phase,
        { ...phase, sparsity: 0 },
        { name, batch, sequence, stages },
        { ...phase, dynamic: { method: 'set', every: 2 } },
        { ...phase, lora: { rank: 4 } },
      ],
    });
    expect(phases.map(({ kind }) => kind)).toEqual(['sparse', 'dense', 'redensification', 'dynamic sparse', 'LoRA']);
    expect(phases[2].stages.map(({ sparsity }) => sparsity.value)).toEqual([0.75, 0.5]);
    expect(phases[3].dynamic).toEqual({ method: 'set', every: 2, until: 0.75 });
    expect(phases[4].lora).toEqual({ rank: 4, targets: ['qkv'] });
  });

  test('a step that is begun is done, and lengths say the same in three ways', () => {
    expect([640, 641, 1].map((tokens) => stepsOf({ tokens }))).toEqual([10, 11, 1]);
    expect([20, 21].map((sequences) => stepsOf({ sequences }))).toEqual([10, 11]);
    expect(stepsOf({ steps: 7 })).toBe(7);
  });

  test('zeros are those of the phase, else of the plan, else of the model', () => {
    const ofModel = { model: { ...tinyShape, sparsity: 0.25 } };
    expect(zerosOf(ofModel)).toBe(0.25);
    expect(zerosOf({ ...ofModel, sparsity: 0.5 })).toBe(0.5);
    expect(zerosOf({ ...ofModel, sparsity: 0.5, phases: [{ ...phase, sparsity: 0 }] })).toBe(0);
  });

  test('matrices and seed of the zeros come along', () => {
    const { sparsity } = planOf({ sparsity: { value: 0.5, seed: 7, weights: ['mlpOut', 'qkv'] } }).phases[0].stages[0];
    expect(sparsity).toEqual({ kind: 'uniform', value: 0.5, seed: 7, weights: ['qkv', 'mlpOut'] });
  });

  test('the whole context unless given', () => {
    const { name, tokens, batch } = phase;
    expect(planOf({ phases: [{ name, tokens, batch }] }).phases[0].sequence).toBe(tinyShape.context);
  });

  test('masks move every N steps until a share of them is over', () => {
    expect(maskUpdates({ method: 'rigl', every: 100, until: 0.75 }, 1000)).toBe(7);
    expect(maskUpdates({ method: 'set', every: 100, until: 1 }, 1000)).toBe(10);
    expect(maskUpdates({ method: 'set', every: 100, until: 1 }, 99)).toBe(0);
  });
});

test('the plan of the documents is one', () => {
  const text = readFileSync(new URL('../../docs/plans.md', import.meta.url), 'utf8');
  const [, plan] = /```json\n([^]*?)```/.exec(text) ?? [];
  const { phases, systems } = resolvePlan(parseDocument('plans.md', plan));
  expect(systems).toBe(4);
  expect(phases.map(({ kind }) => kind)).toEqual(['sparse', 'redensification', 'dynamic sparse', 'LoRA']);
});

describe('the model', () => {
  test('machine and GPU are those of the plan, else of the model', () => {
    const model = { ...tinyShape, machine: 'wse3', gpu: 'h100' };
    const own = planOf({ model });
    const other = planOf({ model, machine: { preset: 'wse2', clockHz: 1e9 }, gpu: 'v100' });
    expect([own.model.machine.machine.name, own.model.gpu]).toEqual(['wse3', 'h100']);
    expect([other.model.machine.machine.clockHz, other.model.gpu]).toEqual([1e9, 'v100']);
  });

  test('a file beside the plan, a preset, or one that the command line names', () => {
    const folder = folderWith({ 'm.json': tinyShape, 'plan.json': planText({ model: 'm.json' }) });
    expect(loadPlan(join(folder, 'plan.json')).model.shape.width).toBe(tinyShape.width);
    expect(planOf({ model: 'gpt2-small' }).model.shape.layers).toBe(12);
    const byFlag = loadPlan(join(folder, 'plan.json'), { set: ['model=gpt3-xl'] });
    expect(byFlag.model.shape.layers).toBe(24);
    expect(byFlag.origin).toEqual({ file: join(folder, 'plan.json'), flags: ['--set model=gpt3-xl'] });
  });

  test('flags change the plan', () => {
    const plan = planOf({}, { sparsity: '0.5', machine: 'wse3', gpu: 'h200', set: ['systems=2'] });
    expect(plan.phases[0].stages[0].sparsity.value).toBe(0.5);
    expect([plan.model.machine.preset, plan.model.gpu, plan.systems]).toEqual(['wse3', 'h200', 2]);
  });
});

describe('faults are located', () => {
  test.each<[string, object, string]>([
    ['a key that is unknown', { fases: [] }, 'unknown key, got "fases", allowed'],
    ['with the name that is near', { phase: [phase] }, 'did you mean "phases"?'],
    ['in a phase', { phases: [{ ...phase, token: 1 }] }, 'phases.0: unknown key, got "token"'],
    ['in a phase, near', { phases: [{ ...phase, sparsty: 1 }] }, 'did you mean "sparsity"?'],
    ['of a phase', { phases: [phase, { ...phase, batch: 0 }] }, 'phases.1.batch: out of range, got 0, allowed'],
    ['no phases', { phases: [] }, 'wrong length, got an empty list, allowed 1 to 1000 phases'],
    ['no model', { model: undefined }, 'model: missing'],
    ['of a model within', { model: { ...tinyShape, widht: 3 } }, 'did you mean "width"?'],
    [
      'a model whose rules are broken',
      { model: { ...tinyShape, heads: 5 } },
      'width does not divide into heads, got 24 / 5',
    ],
    ['a model that is not there', { model: 'm.json' }, 'no such file, and no such preset'],
    ['a method', { phases: [{ ...phase, dynamic: { method: 'rig', every: 1 } }] }, 'did you mean "rigl"?'],
    ['no length', { phases: [{ name: 'a', batch: 2 }] }, 'missing its length, allowed one of tokens, sequences, steps'],
    ['two lengths', { phases: [{ ...phase, steps: 3 }] }, 'given beside tokens, got 3, allowed one of the two'],
    [
      'a sequence too long',
      { phases: [{ ...phase, sequence: 65 }] },
      'longer than the context, got 65, allowed 1 to 64',
    ],
    ['more systems than sequences', { systems: 3 }, 'fewer sequences than systems, got 2, allowed 3 or more'],
    [
      'a step too large',
      { model: { ...tinyShape, context: 4096 }, phases: [{ ...phase, batch: 2 ** 20, sequence: 2048 }] },
      'too many tokens a step',
    ],
    ['stages and a length', { phases: [{ ...phase, stages: [{ steps: 1, sparsity: 0 }] }] }, 'given beside stages'],
    [
      'stages and zeros',
      { phases: [{ name: 'a', batch: 2, sparsity: 0.5, stages: [{ steps: 1, sparsity: 0 }] }] },
      'given beside stages, which have their own zeros',
    ],
    ['a stage without length', { phases: [{ name: 'a', batch: 2, stages: [{ sparsity: 0 }] }] }, 'missing its length'],
    [
      'masks that cannot move',
      { phases: [{ ...phase, dynamic: { method: 'set', every: 1 } }] },
      'nothing can move, got sparsity 0',
    ],
    [
      'moving masks in a frozen model',
      { sparsity: 0.5, phases: [{ ...phase, dynamic: { method: 'set', every: 1 }, lora: { rank: 1 } }] },
      'given beside lora',
    ],
  ])('%s', (_what, fields, message) => {
    const text = refusal(fields);
    expect(text).toContain(message);
    expect(text).toMatch(/^plan\.json:\d+:\d+/);
  });

  test('in a model within, at its own line', () => {
    const lines = ['{', '  "model": {', '    "preset": "gpt2-small",', '    "heads": 7 // no divisor', '  },'];
    const text = [...lines, '  "phases": [{ "name": "a", "steps": 1, "batch": 1 }]', '}'].join('\n');
    expect(refusalOf(text)).toContain('plan.json:4:14 heads: width does not divide into heads');
    expect(refusalOf(text)).toContain('4 |     "heads": 7');
  });

  test('all at once', () => {
    expect(
      refusal({
        phases: [
          { name: 'a', batch: 2 },
          { ...phase, sequence: 65 },
        ],
      }).match(/plan\.json/g),
    ).toHaveLength(2);
  });

  test('a flag, as it was typed', () => {
    expect(() => planOf({}, { set: ['systems=0'] })).toThrow('--set systems=0: out of range, got 0');
    expect(() => planOf({}, { set: ['model.heads=5'] })).toThrow('--set model.heads=5: width does not divide');
  });

  test('a matmul', () => {
    const folder = folderWith({
      'm.json': { kind: 'matmul', in: 8, out: 8, workload: { tokens: 4 } },
      'plan.json': planText({ model: 'm.json' }),
    });
    expect(() => loadPlan(join(folder, 'plan.json'))).toThrow('a matmul, allowed a GPT');
  });
});
