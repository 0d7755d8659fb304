// The matchers as another package has them: ours is built, packed by npm, unpacked into the node_modules of a package made
// for this, and vitest runs there. Only the packages that ours depends on are links to those of this tree, because npm
// cannot install them where there is no network.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyModel } from '../cli/emulated.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const world = mkdtempSync(join(tmpdir(), 'wafer-package-'));
const other = join(world, 'other');
const golden = join(other, 'goldens/tiny.golden.json');

/** A build and a pack, on a computer that is busy with other tests. */
const BUILD_TIMEOUT = 120_000;

beforeAll(() => {
  const packed = pack();
  mkdirSync(join(other, 'node_modules'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== 'wafer-emulator') symlinkSync(join(root, 'node_modules', name), join(other, 'node_modules', name));
  execFileSync('tar', ['-xzf', packed, '-C', world]);
  cpSync(join(world, 'package'), join(other, 'node_modules/wafer-emulator'), { recursive: true });
  mkdirSync(join(other, 'goldens'));
  writeFileSync(join(other, 'package.json'), JSON.stringify({ name: 'other', type: 'module', private: true }));
  writeFileSync(join(other, 'tiny.json'), JSON.stringify(tinyModel));
  writeFileSync(join(other, 'tiny.test.ts'), theirTest);
  writeFileSync(join(other, 'tsconfig.json'), JSON.stringify(theirCompiler));
}, BUILD_TIMEOUT);

afterAll(() => rmSync(world, { recursive: true }));

/** The tarball of a build of its own, so that dist/ may be old or missing. */
function pack(): string {
  const source = join(world, 'source');
  mkdirSync(source);
  for (const name of ['package.json', 'bin', 'LICENSE', 'README.md'])
    cpSync(join(root, name), join(source, name), { recursive: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(source, 'dist')]);
  execFileSync('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', world], {
    cwd: source,
    stdio: 'pipe',
  });
  const packed = readdirSync(world).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack wrote no tarball');
  return join(world, packed);
}

const theirCompiler = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['tiny.test.ts'],
};

const theirTest = `
import { inProcessTimer, loadModel, runWafer, type WaferRun } from 'wafer-emulator';
import 'wafer-emulator/vitest';
import { expect, test } from 'vitest';

const set = process.env.SET === undefined ? [] : [process.env.SET];
const run: WaferRun = await runWafer(loadModel('tiny.json', { set }), { timer: inProcessTimer() });

test('cycles', () => {
  const { cycles } = run.wafer;
  expect(run).toTakeCycles(cycles);
  expect(run.wafer).toTakeCycles(cycles);
  expect(run).not.toTakeCycles(cycles + 1);
  expect(() => expect(run).toTakeCycles(cycles + 1000)).toThrow(/the run takes [\\d,]+ cycles, expected [\\d,]+ \\(-1,000\\)/);
  expect(() => expect('a run').toTakeCycles(1)).toThrow(/got a value without cycles/);
  // @ts-expect-error: cycles are a number
  expect(() => expect(run).toTakeCycles('many')).toThrow();
  // @ts-expect-error: a mapping has columns, so the types of a run are known
  expect(run.wafer.mapping.colums).toBeUndefined();
});

test('golden', () => {
  expect(run).toMatchGolden('goldens/tiny.golden.json');
});
`;

interface Ran {
  readonly status: number | null;
  readonly text: string;
}

function inOther(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|TEST|CI$|FORCE_COLOR)/.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, [...argv], {
    cwd: other,
    env: { ...Object.fromEntries(inherited), ...env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

const vitest = (flags: readonly string[], env: Readonly<Record<string, string>> = {}): Ran =>
  inOther(['node_modules/vitest/vitest.mjs', 'run', ...flags], env);

test('a golden that is missing fails, -u writes it, and then it holds', () => {
  const first = vitest([]);
  expect(first.status).toBe(1);
  expect(first.text).toContain('goldens/tiny.golden.json: no such golden; vitest -u writes it');
  expect(existsSync(golden)).toBe(false);
  expect(vitest(['-u'])).toMatchObject({ status: 0 });
  const written = readFileSync(golden, 'utf8');
  expect(written).toContain('"model": "../tiny.json"');
  expect(vitest([])).toMatchObject({ status: 0 });
  expect(readFileSync(golden, 'utf8')).toBe(written);
});

test('a constant of the machine that is another fails, and a table says what moved', () => {
  const { status, text } = vitest([], { SET: 'machine.core.axpyOverhead=6' });
  expect(status).toBe(1);
  expect(text).toContain('the run is not what goldens/tiny.golden.json says');
  expect(text).toMatch(/machine\.core\.axpyOverhead +5 +6 +\+1 \+20\.0 %/);
  expect(text).toMatch(/h\.\*\.mlp\.c_fc +x2 +cycles +\S+ +\S+ +\+\S+ +\+\S+ %/);
});

test('the command line holds the same golden', () => {
  const { status, text } = inOther([
    'node_modules/wafer-emulator/bin/emulate.js',
    'check',
    'goldens',
    '--workers',
    '1',
  ]);
  expect({ status, text }).toEqual({ status: 0, text: expect.stringMatching(/^same +goldens\/tiny\.golden\.json: /) });
});

test('the types are those of the package', () => {
  const { status, text } = inOther([join(root, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  expect({ status, text }).toEqual({ status: 0, text: '' });
});
