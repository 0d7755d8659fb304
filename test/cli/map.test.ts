// `emulate map`, the mapping file that it writes and people edit, and the mappings that the main command keeps.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { emulate, type Emulated, folderWith, tinyModel } from './emulated.ts';

const matmul = {
  kind: 'matmul',
  in: 96,
  out: 64,
  workload: { tokens: 64 },
  sparsity: 0.5,
  machine: tinyModel.machine,
};

const training = {
  ...tinyModel,
  layers: 1,
  workload: { ...tinyModel.workload, kind: 'train' },
  mapping: { columns: 16, tokensPerPe: 8 },
};

const line = z.looseObject({ mapping: z.record(z.string(), z.unknown()), cycles: z.number(), bytes: z.number() });

const survey = z.looseObject({ chosen: line, best: z.array(line), front: z.array(line) });

const report = z.looseObject({
  mapping: z.looseObject({ asked: z.unknown() }),
  wafer: z.looseObject({ cycles: z.number() }),
  operators: z.array(z.unknown()),
  memory: z.unknown(),
  hashes: z.looseObject({ program: z.string() }),
});

async function reportOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, out, err } = await emulate([...argv, '--no-twins', '--json', '-'], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return report.parse(JSON.parse(out));
}

test.each([
  ['a GPT', tinyModel],
  ['a matmul', matmul],
])(
  '%s: tables of 100 columns, the front, what was not run, and the same for any number of workers',
  async (_, file) => {
    const model = `${folderWith({ 'model.json': file })}/model.json`;
    const { code, out, err } = await emulate(['map', model, '--workers', '1']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.split('\n');
    for (const each of lines) expect(each.length).toBeLessThanOrEqual(100);
    const heads = lines.filter((each) =>
      /^ *C +groups +T +rows +passes +K +cycles +time +tokens\/s +util\. +bytes +bound by$/.test(each),
    );
    expect(heads).toHaveLength(2);
    expect(out).toMatch(/\ntaken +the first one: [\d,]+ cycles/);
    expect(out.replaceAll(/\n +/g, ' ')).toMatch(
      /\nsearch +[\d,]+ mappings fit; \d+ ran, every layer counted as the first; /,
    );
    expect(out.replaceAll(/\n +/g, ' ')).toMatch(
      /\nnot searched +columns and tokens of its own .* at most \d+\.\d %\n/,
    );
    const two = await emulate(['map', model, '--workers', '2']);
    expect(two.out).toBe(out);
  },
);

test('--json says the same; the main command takes the first one', async () => {
  const model = `${folderWith({ 'tiny.json': tinyModel })}/tiny.json`;
  const { out } = await emulate(['map', model, '--json', '-']);
  const { chosen, best, front } = survey.parse(JSON.parse(out));
  expect(best).toHaveLength(10);
  expect(best[0].mapping).toEqual(chosen.mapping);
  expect(front.length).toBeGreaterThan(1);
  const { mapping, wafer } = await reportOf([model]);
  expect(wafer.cycles).toBe(chosen.cycles);
  expect(mapping).toMatchObject(chosen.mapping);
});

describe.each([
  ['a GPT', tinyModel],
  ['a matmul', matmul],
])('the mapping file of %s', (_, file) => {
  test('is read back as the same mapping, program and counts', async () => {
    const folder = folderWith({ 'model.json': file });
    const [model, mapping] = [`${folder}/model.json`, `${folder}/mapping.json`];
    expect((await emulate(['map', model, '--out', mapping])).code).toBe(0);
    const found = await reportOf([model]);
    const given = await reportOf([model, '--mapping', mapping]);
    expect(given.hashes.program).toBe(found.hashes.program);
    expect({ ...given.mapping, asked: null }).toEqual({ ...found.mapping, asked: null });
    for (const part of ['wafer', 'operators', 'memory'] as const) expect(given[part]).toEqual(found[part]);
    expect(Object.values(Object(given.mapping.asked))).not.toContain(null);
  });

  test('can be edited: what is left out is chosen, what is there is kept', async () => {
    const folder = folderWith({ 'model.json': file });
    const [model, mapping] = [`${folder}/model.json`, `${folder}/mapping.json`];
    await emulate(['map', model, '--out', mapping]);
    const text = readFileSync(mapping, 'utf8');
    const kept = text.split('\n').filter((each) => !/"(groups|rows|accumulators)"/.test(each));
    writeFileSync(mapping, kept.join('\n').replace(/"tokensPerPe": \d+/, '"tokensPerPe": 7'));
    expect((await reportOf([model, '--mapping', mapping])).mapping).toMatchObject({ tokensPerPe: 7 });
  });
});

test('accumulators can be given to one matmul alone', async () => {
  const model = `${folderWith({ 'tiny.json': tinyModel })}/tiny.json`;
  const free = await reportOf([model]);
  const fixed = ['columns', 'tokensPerPe', 'groups', 'rows'].flatMap((name) => [
    '--set',
    `mapping.${name}=${String(free.mapping[name])}`,
  ]);
  const one = await reportOf([model, ...fixed, '--set', 'mapping.accumulators.mlpIn=1']);
  expect(one.mapping.accumulators).toEqual({ ...Object(free.mapping.accumulators), mlpIn: 1 });
  const cyclesOf = (of: typeof one, name: string): unknown =>
    of.operators.map((each) => Object(each)).find((each) => each.name === name)?.cycles;
  expect(cyclesOf(one, 'h.0.mlp.c_fc')).toBeGreaterThan(Number(cyclesOf(free, 'h.0.mlp.c_fc')));
  expect(cyclesOf(one, 'h.0.mlp.c_proj')).toBe(cyclesOf(free, 'h.0.mlp.c_proj'));
});

test('the mapping file of a training step has the sizes of its gradients, to be edited', async () => {
  const folder = folderWith({ 'model.json': training });
  const [model, mapping] = [`${folder}/model.json`, `${folder}/mapping.json`];
  const { out } = await emulate(['map', model, '--out', mapping]);
  expect(out).toMatch(/\ngradients +by weights: room for 8 on their way and [\d,]+ sums of products a PE\n/);
  const found = await reportOf([model]);
  expect((await reportOf([model, '--mapping', mapping])).hashes.program).toBe(found.hashes.program);
  const text = readFileSync(mapping, 'utf8');
  const smaller = text.replace(/"sums": \d+/, '"sums": 24');
  expect(smaller).not.toBe(text);
  writeFileSync(mapping, smaller);
  const edited = await reportOf([model, '--mapping', mapping]);
  expect(edited.mapping.gradients).toEqual({ buffers: 8, sums: 24 });
  // More chunks, each with its starts and its ways.
  expect(edited.wafer.cycles).toBeGreaterThan(found.wafer.cycles);
  writeFileSync(mapping, text.replace(/"sums": \d+/, '"sums": 99999'));
  const { code, err } = await emulate([model, '--mapping', mapping]);
  expect(code).toBe(3);
  expect(err).toContain('fewer gradients');
});

function refusal(mapping: string, command: readonly string[] = []): Promise<Emulated> {
  const folder = folderWith({ 'tiny.json': tinyModel, 'm.json': mapping });
  return emulate([...command, `${folder}/tiny.json`, '--mapping', `${folder}/m.json`]);
}

describe('a mapping that cannot be is refused where it stands', () => {
  test.each<[string, string, number, RegExp]>([
    ['no JSON', '{"columns": 4,\n  rows}', 2, /m\.json:2:3: not JSON: /],
    ['an unknown key', '{\n  "colums": 4\n}', 2, /m\.json:2:3: unknown key, got "colums", .*did you mean "columns"\?/],
    [
      'out of range',
      '{\n  "groups": 0\n}',
      2,
      /m\.json:2:13 groups: out of range, got 0, allowed a whole number 1 to 65535/,
    ],
    [
      'accumulators of what is none',
      '{\n "accumulators": {\n  "qvk": 4}}',
      2,
      /m\.json:3:3 accumulators: unknown key, got "qvk"/,
    ],
    [
      'more columns than there are',
      '{\n  "columns": 17\n}',
      3,
      /m\.json:2:14 columns: tiny does not fit .*would help: fewer columns/,
    ],
    [
      'more groups than there is room for',
      '{"columns": 8,\n "groups": 3}',
      3,
      /m\.json:2:12 groups: .*columns of 3 groups of 8 is 24 PEs, the limit 16/,
    ],
    ['more rows than there are', '{\n  "rows": 17}', 3, /m\.json:2:11 rows: .*rows is 17 PEs, the limit 16/],
    [
      'fewer rows than a sequence takes',
      '{"tokensPerPe": 1}',
      3,
      /m\.json:1:17 tokensPerPe: .*is 32 rows, the limit 16/,
    ],
    [
      'accumulators that nothing fits beside',
      '{\n "rows": 1, "columns": 1, "tokensPerPe": 32, "accumulators": 9999 }',
      3,
      /m\.json:2:\d+ accumulators: .*SRAM of the fullest PE during [^]*accumulators: \d+ bytes/,
    ],
  ])('%s', async (_, mapping, code, message) => {
    for (const command of [[], ['map'], ['compile']]) {
      const got = await refusal(mapping, command);
      expect(got.err).toMatch(message);
      expect([got.code, got.out]).toEqual([code, '']);
    }
  });

  test('in the model file too', async () => {
    const model = JSON.stringify({ ...tinyModel, mapping: { columns: 17 } }, null, 1);
    const row = model.split('\n').findIndex((each) => each.includes('"columns"')) + 1;
    const { err, code } = await emulate([`${folderWith({ 'tiny.json': model })}/tiny.json`]);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`tiny\\.json:${row}:14 mapping\\.columns: tiny does not fit`));
  });
});

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
}

describe('mappings that were found are kept', () => {
  test.each<[string, (folder: string) => Record<string, string>, string]>([
    [
      'in a folder that is named',
      (folder) => ({ WAFER_EMULATOR_CACHE: join(folder, 'own'), HOME: '/nowhere' }),
      'own/mappings',
    ],
    [
      'in the cache folder of the user',
      (folder) => ({ XDG_CACHE_HOME: join(folder, 'xdg') }),
      'xdg/wafer-emulator/mappings',
    ],
    ['in the home of the user', (folder) => ({ HOME: folder }), '.cache/wafer-emulator/mappings'],
  ])('%s, and the report is the same without a search', async (_, envIn, where) => {
    const folder = folderWith({ 'tiny.json': tinyModel });
    const env = envIn(folder);
    const cold = await reportOf([`${folder}/tiny.json`], env);
    // The model's and that of its dense twin.
    expect(files(join(folder, where))).toHaveLength(2);
    const warm = await reportOf([`${folder}/tiny.json`], env);
    const uncached = await reportOf([`${folder}/tiny.json`]);
    const { wallSeconds: _s, equivalentPeCyclesPerSecond: _r, ...host } = Object(cold.run);
    for (const other of [warm, uncached]) {
      expect({ ...other, run: null }).toEqual({ ...cold, run: null });
      expect(other.run).toMatchObject(host);
    }
  });

  test('nowhere, if the name is empty or nobody is at home', async () => {
    const folder = folderWith({ 'tiny.json': tinyModel });
    await reportOf([`${folder}/tiny.json`], { WAFER_EMULATOR_CACHE: '', HOME: folder });
    await reportOf([`${folder}/tiny.json`], {});
    expect(readdirSync(folder)).toEqual(['tiny.json']);
  });
});
