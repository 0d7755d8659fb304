import { expect, test } from 'vitest';
import { loadModel } from '../../../compiler/model/load.ts';
import { parameterCount } from '../../../compiler/model/parameters.ts';
import { gptPresets } from '../../../compiler/model/presets.ts';

function count(name: string): number {
  const model = loadModel(name);
  return model.kind === 'gpt' ? parameterCount(model.shape) : Number.NaN;
}

test.each(Object.entries(gptPresets))('%s has as many parameters as published, within 2 %%', (name, { parameters }) => {
  expect(Math.abs(count(name) / parameters - 1)).toBeLessThan(0.02);
});

// The sizes of the released checkpoints, to the last parameter. GPT-J's has a bias on its head besides: 50400.
test.each([
  ['gpt2-small', 124_439_808],
  ['gpt2-medium', 354_823_168],
  ['gpt2-large', 774_030_080],
  ['gpt2-xl', 1_557_611_200],
  ['gpt-j', 6_050_882_784 - 50_400],
  ['llama-7b', 6_738_415_616],
  ['cerebras-gpt-111m', 111_050_496],
  ['cerebras-gpt-13b', 12_853_386_240],
])('%s has exactly %d parameters', (name, parameters) => {
  expect(count(name)).toBe(parameters);
});

test('every preset fits its own rules and runs one sequence as long as its context', () => {
  for (const name of Object.keys(gptPresets)) {
    const model = loadModel(name);
    expect(model).toMatchObject({ name, workload: { batch: 1 } });
    expect(model.kind === 'gpt' && model.workload.sequence === model.shape.context).toBe(true);
  }
});
