import { expect, test } from 'vitest';
import { listText } from '../../../cli/commands/list.ts';
import { schemaText } from '../../../cli/commands/schema.ts';
import { machineFields } from '../../../compiler/model/machineSchema.ts';
import { gptPresets } from '../../../compiler/model/presets.ts';
import { kernels } from '../../../kernels/index.ts';
import { machinePresets } from '../../../emulator/machine/presets/index.ts';

test.each(['model', 'machine', 'mapping'])(
  'the schema of a %s is a draft-7 object without references',
  async (kind) => {
    const text = await schemaText(kind);
    const schema: unknown = JSON.parse(text);
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', title: kind });
    expect(text).not.toContain('$ref');
  },
);

test('the schema of a model says what a user may write, not what the emulator makes of it', async () => {
  const text = await schemaText('model');
  expect(JSON.parse(text)).toMatchObject({
    anyOf: [
      {
        properties: { kind: { const: 'gpt' }, layers: { maximum: 1024 }, sparsity: { default: 0 } },
        additionalProperties: false,
      },
      { properties: { kind: { const: 'matmul' } }, required: ['kind', 'in', 'out', 'workload'] },
    ],
  });
});

test('an unknown kind is answered with the nearest', async () => {
  await expect(schemaText('modle')).rejects.toThrow(
    'schema: unknown value, got "modle", allowed "model", "machine", "mapping", "plan", did you mean "model"?',
  );
  await expect(listText('gpu', false)).rejects.toThrow(
    'list: unknown value, got "gpu", allowed "machines", "gpus", "models", "kernels", did you mean "gpus"?',
  );
  await expect(listText('constructor', false)).rejects.toThrow('list: unknown value');
});

test('machines are listed with every constant, its unit and where it comes from', async () => {
  const text = await listText('machines', false);
  expect(text).toMatch(/^ {2}core\.simdFp16 +8 {2}fp16 multiply-adds a slot +Hot Chips 36: 8-way fp16 FMAC$/m);
  const perMachine = 1 + machineFields.length;
  expect(text.split('\n').filter((line) => line !== '')).toHaveLength(3 * perMachine);
});

test('kernels are listed, a line each, and those that flags describe by their command', async () => {
  const lines = (await listText('kernels', false)).split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual([...Object.keys(kernels), 'weightGradient']);
  const commands = lines.flatMap((line) => /\(emulate kernel (\w+)\)$/.exec(line)?.[1] ?? []);
  expect(commands).toEqual(['broadcast', 'chainReduce', 'spmm', 'weightGradient']);
  expect(JSON.parse(await listText('kernels', true))).toContainEqual(
    expect.objectContaining({ name: 'spmm', command: true }),
  );
});

test('every constant of every preset says where it comes from', () => {
  for (const { sources } of Object.values(machinePresets)) {
    expect(Object.keys(sources).toSorted()).toEqual(machineFields.map(({ path }) => path).toSorted());
  }
});

test('models and GPUs are listed, as text and as JSON', async () => {
  expect(await listText('gpus', false)).toBe('v100\na100-40gb\na100-80gb\nh100\nh200');
  expect(JSON.parse(await listText('gpus', true))).toContain('h100');
  const lines = (await listText('models', false)).split('\n');
  expect(lines).toHaveLength(1 + Object.keys(gptPresets).length);
  expect(
    new Set(lines.map((line) => line.search(/(?<= {2})\S+$|source$|Brown|Radford|Dey|Eleuther|Touvron/))).size,
  ).toBe(1);
  expect(JSON.parse(await listText('models', true))).toHaveLength(lines.length - 1);
});
