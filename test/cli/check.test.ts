// `emulate check` from end to end on a small model: what is the same, what has moved, what is missing, and what is refused.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { emulate, type Emulated, folderWith, tinyModel } from './emulated.ts';

const check = (argv: readonly string[]): Promise<Emulated> => emulate(['check', ...argv, '--workers', '1']);

const counts = z.looseObject({ cycles: z.number(), where: z.record(z.string(), z.number()) });

const golden = z.looseObject({
  format: z.string(),
  model: z.string().optional(),
  set: z.array(z.string()).optional(),
  tolerance: z.record(z.string(), z.number()).optional(),
  result: z.looseObject({ ...counts.shape, operators: z.record(z.string(), counts), hash: z.string() }),
});

type Golden = z.output<typeof golden>;

const read = (file: string): Golden => golden.parse(JSON.parse(readFileSync(file, 'utf8')));

let made: Promise<Golden> | undefined;

async function make(): Promise<Golden> {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const { code, err } = await check([folder, '--add', `${folder}/tiny.json`]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return read(`${folder}/tiny.golden.json`);
}

/** A folder with the tiny model and goldens of it, each changed in its own way. */
async function goldens(changes: Readonly<Record<string, (golden: Golden) => void>>): Promise<string> {
  made ??= make();
  const whole = await made;
  const files = Object.entries(changes).map(([name, change]) => {
    const changed = structuredClone(whole);
    change(changed);
    return [`${name}.golden.json`, JSON.stringify(changed, null, 2)] as const;
  });
  return folderWith({ 'tiny.json': tinyModel, ...Object.fromEntries(files) });
}

const unchanged = (): void => undefined;

const text = (x: number): string => x.toLocaleString('en-US');

const without = (key: string) => (golden: Golden) => Reflect.deleteProperty(golden.result, key);

/** Tolerates so, and its LM head is 10 cycles off. */
const tolerant = (tolerance: Record<string, number>) => (golden: Golden) => {
  golden.tolerance = tolerance;
  golden.result.operators.lm_head.cycles -= 10;
};

/** What is printed of each golden, by its name. */
function told(out: string): Map<string, string> {
  const parts = out.split(/^(?=same|moved|written|failed)/m);
  return new Map(parts.map((part) => [/([\w-]+)\.golden\.json/.exec(part)?.[1] ?? '', part]));
}

/** The rows of a table whose first word is this one, blanks as one. */
const rowsOf = (out: string, first: string): string[] =>
  out
    .split('\n')
    .map((line) => line.trim().replaceAll(/ +/g, ' '))
    .filter((line) => line.startsWith(`${first} `));

test('what is added is the same when it is checked, for any number of workers', async () => {
  const folder = await goldens({ tiny: unchanged });
  const file = `${folder}/tiny.golden.json`;
  const { format, model, result } = read(file);
  expect({ format, model }).toEqual({ format: 'wafer-emulator golden 1', model: 'tiny.json' });
  for (const workers of ['1', '2']) {
    const { code, out, err } = await emulate(['check', folder, '--workers', workers]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`same     ${file}: ${result.cycles.toLocaleString('en-US')} cycles\n`);
  }
});

test('a golden holds the counts of the report', async () => {
  const folder = await goldens({ tiny: unchanged });
  const { result } = read(`${folder}/tiny.golden.json`);
  const report = z
    .looseObject({
      wafer: z.looseObject({ cycles: z.number() }),
      operators: z.array(counts.extend({ name: z.string() })),
    })
    .parse(JSON.parse((await emulate([`${folder}/tiny.json`, '--json', '-'])).out));
  expect(result.cycles).toBe(report.wafer.cycles);
  const layers = report.operators.filter(({ name }) => /^h\.\d+\.mlp\.c_fc$/.test(name));
  expect(layers).toHaveLength(2);
  const { cycles, where } = result.operators['h.*.mlp.c_fc'];
  expect(cycles).toBe(layers[0].cycles + layers[1].cycles);
  expect(where.waitThread).toBe(layers[0].where.waitThread + layers[1].where.waitThread);
  expect(result.where.compute).toBe(report.operators.reduce((sum, { where }) => sum + where.compute, 0));
});

test('a count that moved is exit 6, and a table of the operator, the cause and by how much', async () => {
  const folder = await goldens({
    tiny: ({ result }) => {
      result.operators.lm_head.cycles -= 10;
      result.operators.lm_head.where.compute += 1000;
    },
  });
  const { lm_head } = read(`${folder}/tiny.golden.json`).result.operators;
  const { code, out, err } = await check([folder]);
  expect(code).toBe(6);
  expect(err).toContain('1 of 1 golden moved; if that is meant: emulate check');
  const share = ((100 * 10) / lm_head.cycles).toFixed(1);
  expect(rowsOf(out, 'lm_head')).toEqual([
    `lm_head cycles ${text(lm_head.cycles)} ${text(lm_head.cycles + 10)} +10 +${share} %`,
  ]);
  expect(rowsOf(out, 'compute')).toHaveLength(1);
  expect(rowsOf(out, 'compute')[0]).toContain(' -1,000 ');
  expect(rowsOf(out, 'reduce')).toEqual([]);
});

test('--set shows what would move: the constant first, then the operators, those that move most first', async () => {
  const folder = await goldens({ tiny: unchanged });
  const { code, out } = await check([folder, '--set', 'machine.core.simdFp16=8']);
  expect(code).toBe(6);
  expect(rowsOf(out, 'machine.core.simdFp16')).toEqual(['machine.core.simdFp16 4 8 +4 +100.0 %']);
  const operators = out.match(/^ {2}(h\.\S+|lm_head|ln_f|wte|all)/gm) ?? [];
  expect(operators.map((each) => each.trim()).slice(0, 3)).toEqual(['all', 'lm_head', 'h.*.attn.c_attn']);
  expect(operators).not.toContain('  wte');
});

test('what is missing is a failure, never 0; what is gone is named; a hash that moved alone is told', async () => {
  const folder = await goldens({
    cycles: without('cycles'),
    cause: ({ result }) => Reflect.deleteProperty(result.where, 'waitThread'),
    zero: ({ result }) => Reflect.deleteProperty(result.operators.lm_head.where, 'waitThread'),
    operator: ({ result }) => Reflect.deleteProperty(result.operators, 'ln_f'),
    operators: without('operators'),
    hash: without('hash'),
    machine: without('machine'),
    result: (golden) => Reflect.deleteProperty(golden, 'result'),
    gone: ({ result }) => (result.operators['h.*.mlp.gate'] = { cycles: 5, where: {} }),
    another: ({ result }) => (result.hash = `0${result.hash.slice(1, -1)}0`),
    good: unchanged,
  });
  const { code, out, err } = await check([folder]);
  expect(code).toBe(6);
  expect(err).toContain('10 of 11 goldens moved');
  const parts = told(out);
  expect(parts.get('cycles')).toMatch(/all +cycles +missing +\S+ +new/);
  expect(parts.get('cause')).toMatch(/all +waitThread +missing +\S+ +new/);
  expect(parts.get('zero')).toMatch(/lm_head +waitThread +missing +0 +new/);
  expect(parts.get('operator')).toMatch(/ln_f +cycles +missing +\S+ +new/);
  expect(parts.get('operators')).toMatch(/wte +cycles +missing +\S+ +new/);
  expect(parts.get('hash')).toMatch(/hash +missing/);
  expect(parts.get('machine')).toMatch(/machine\.clockHz +missing/);
  expect(parts.get('result')).toMatch(/it has no result yet; emulate check \S+ --update writes it/);
  expect(parts.get('gone')).toMatch(/h\.\*\.mlp\.gate +cycles +5 +missing +gone/);
  expect(parts.get('another')).toMatch(/\n {2}hash +0/);
  expect(parts.get('good')).toMatch(/^same /);
});

test('a tolerance holds for the numbers that it names, the closest name first', async () => {
  const folder = await goldens({
    none: tolerant({}),
    operator: tolerant({ 'operators.lm_head': 0.01 }),
    number: tolerant({ 'operators.lm_head.cycles': 0.01 }),
    operators: tolerant({ operators: 0.01 }),
    small: tolerant({ operators: 0.0001 }),
    closer: tolerant({ operators: 0.01, 'operators.lm_head.cycles': 0.0001 }),
    cause: tolerant({ operators: 0.0001, 'operators.lm_head.where': 0.01 }),
    other: tolerant({ 'operators.ln_f': 0.01 }),
    wrong: tolerant({ 'operators.lm_haed': 0.1 }),
  });
  const parts = told((await check([folder])).out);
  const verdicts = Object.fromEntries([...parts].map(([name, part]) => [name, part.split(' ')[0]]));
  const [same, moved] = ['same', 'moved'];
  expect(verdicts).toEqual({
    none: moved,
    operator: same,
    number: same,
    operators: same,
    small: moved,
    closer: moved,
    cause: moved,
    other: moved,
    wrong: 'failed',
  });
  expect(parts.get('wrong')).toMatch(/:\d+:\d+ tolerance: no such number, got "operators.lm_haed", allowed/);
});

test('--update writes the numbers anew, the rest stays to the byte, and a second time changes nothing', async () => {
  const folder = await goldens({ tiny: unchanged });
  const file = `${folder}/tiny.golden.json`;
  const whole = readFileSync(file, 'utf8');
  const compact = whole.replace('"format"', '// of the tiny model\n  "format"').replace(/("cycles": )\d+/, '$17');
  writeFileSync(file, compact);
  const first = await check([folder, '--update']);
  expect(first.code).toBe(0);
  expect(first.out).toMatch(/^written /);
  const written = readFileSync(file, 'utf8');
  expect(written.split('"result"')[0]).toBe(compact.split('"result"')[0]);
  const second = await check([folder, '--update']);
  expect(second.out).toMatch(/^same /);
  expect(readFileSync(file, 'utf8')).toBe(written);
  expect((await check([folder])).code).toBe(0);
});

test('a golden that is only begun gets its result by --update', async () => {
  const begun = '{\n  "format": "wafer-emulator golden 1",\n  "model": "tiny.json", // of two layers\n}\n';
  const folder = folderWith({ 'tiny.json': tinyModel, 'a.golden.json': begun });
  expect((await check([folder, '--update'])).code).toBe(0);
  const written = readFileSync(`${folder}/a.golden.json`, 'utf8');
  expect(written.startsWith(begun.replace('\n}\n', '\n  "result": {\n'))).toBe(true);
  expect((await check([folder])).code).toBe(0);
  expect((await check([folder, '--set', 'layers=1'])).code).toBe(6);
});

test.each([
  '{ "format": "wafer-emulator golden 1", "model": "tiny.json" }',
  '{"model":"tiny.json","format":"wafer-emulator golden 1" /* , */}',
])('so does %s', async (begun) => {
  const folder = folderWith({ 'tiny.json': tinyModel, 'a.golden.json': begun });
  expect((await check([folder, '--update'])).code).toBe(0);
  expect((await check([folder])).code).toBe(0);
});

test('what --add is given by --set stands in the golden', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  await check([folder, '--add', `${folder}/tiny.json`, '--set', 'layers=1', '--set', 'sparsity.value=0.5']);
  expect(read(`${folder}/tiny.golden.json`).set).toEqual(['layers=1', 'sparsity.value=0.5']);
  expect((await check([folder])).code).toBe(0);
  const again = await check([folder, '--add', `${folder}/tiny.json`]);
  expect(again.code).toBe(2);
  expect(again.err).toContain('is there already');
  const inFile = await check([`${folder}/tiny.json`, '--add', `${folder}/tiny.json`]);
  expect(inFile.code).toBe(2);
  expect(inFile.err).toContain('tiny.json: cannot be made');
});

test('a golden that cannot be run keeps none of the others from being checked', async () => {
  const folder = await goldens({ tiny: unchanged });
  writeFileSync(
    `${folder}/a.golden.json`,
    '{ "format": "wafer-emulator golden 1", "model": "nowhere.json", "result": {} }',
  );
  writeFileSync(`${folder}/b.golden.json`, '{ "format": "wafer-emulator golden 1", "modle": "tiny.json" }');
  writeFileSync(`${folder}/c.golden.json`, '{ "format": ');
  const { code, out, err } = await check([folder]);
  expect(code).toBe(2);
  expect(out).toMatch(/failed +\S+a\.golden\.json: .*nowhere\.json: no such file/);
  expect(out).toMatch(/failed +\S+b\.golden\.json: .*:1:\d+: unknown key, got "modle".*did you mean "model"/);
  expect(out).toMatch(/failed +\S+c\.golden\.json: .*:1:\d+: not JSON/);
  expect(out).toContain(`same     ${folder}/tiny.golden.json`);
  expect(err).toContain('3 of 4 goldens could not be run');
  // A difference is what was asked for.
  expect((await check([folder, '--set', 'layers=1'])).code).toBe(6);
});

test.each([
  ['no such path', ['nowhere'], /nowhere: no such file or folder/],
  ['a folder without goldens', ['test/cli'], /test\/cli: no golden .*--add MODEL/],
  ['--update and --set', ['test', '--update', '--set', 'layers=1'], /got --update and --set/],
  ['--update and --add', ['test', '--update', '--add', 'gpt2-small'], /got --update and --add/],
])('%s is refused', async (_, argv, expected) => {
  const { code, err } = await check(argv);
  expect(code).toBe(2);
  expect(err).toMatch(expected);
});

test('kernels have goldens too, by flags and by a file of cases; --set changes their machine', async () => {
  const latencies = {
    rampLatency: 2,
    routerBuffer: 2,
    inputQueue: 6,
    outputQueue: 6,
    creditLatency: 1,
    resultLatency: 1,
  };
  const line = { kernel: 'chainReduce', machine: latencies, width: 4, wavelets: 20 };
  const flags = { name: 'spmm', machine: 'wse2', rows: 2, cols: 4, in: 40, out: 24, sparsity: 0.5, tokens: 16 };
  const folder = folderWith({
    'cases.json': { cases: [line, { ...line, kernel: 'broadcast' }] },
    'cases.golden.json': { format: 'wafer-emulator golden 1', kernel: { spec: 'cases.json' } },
    'flags.golden.json': { format: 'wafer-emulator golden 1', kernel: flags },
  });
  expect((await check([folder, '--update'])).code).toBe(0);
  expect((await check([folder])).code).toBe(0);
  expect(Object.keys(read(`${folder}/cases.golden.json`).result.operators)).toEqual(['0.chainReduce', '1.broadcast']);
  const { code, out } = await check([`${folder}/flags.golden.json`, '--set', 'machine.core.axpyOverhead=6']);
  expect(code).toBe(6);
  expect(rowsOf(out, 'machine.core.axpyOverhead')).toEqual(['machine.core.axpyOverhead 5 6 +1 +20.0 %']);
  expect(rowsOf(out, 'spmm')[0]).toMatch(/^spmm cycles \S+ \S+ \+/);
  const wrong = await check([`${folder}/flags.golden.json`, '--set', 'machine.core.axpyOverhaed=6']);
  expect(wrong.code).toBe(2);
  expect(wrong.out).toContain('did you mean "axpyOverhead"');
});
