// What the tree promises and no compiler checks: which folder may import which, that files do not import each other in a
// circle, how long a file may be, what it may be called, and who may print. Each rule is a function from sources to
// the places that break it; the second half shows that each rule can fail.

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Path from the root of the package, with `/`, to source text. */
type Sources = ReadonlyMap<string, string>;

/** Top to bottom: a folder may import itself and those after it. */
const LAYERS = [
  'index.ts',
  'cli',
  'plan',
  'sweep',
  'report',
  'run',
  'baselines',
  'compiler',
  'checkpoint',
  'kernels',
  'emulator',
];

/** A baseline is priced from a graph and a model, never from how the wafer maps them. */
const OF_COMPILER_FOR_BASELINES = ['compiler/graph', 'compiler/model'];

const LONGEST_FILE = 400;

function layerOf(path: string): number {
  return LAYERS.indexOf(path.split('/')[0]);
}

/** Quotes, the characters within, or a comment: what must not be mistaken for code. */
const TEXT_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;

function withoutComments(source: string): string {
  return source.replace(TEXT_OR_COMMENT, (found) => (found.startsWith('/') ? '' : found));
}

function codeOnly(source: string): string {
  return source.replace(TEXT_OR_COMMENT, (found) => (found.startsWith('`') ? templateCode(found) : ''));
}

function templateCode(template: string): string {
  return (template.match(/\$\{[^}]*\}/g) ?? []).join(' ');
}

/** Files that a file imports, by static, type, re-export or dynamic import; packages left out. */
function importsOf(path: string, source: string): string[] {
  const found = withoutComments(source).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g);
  return [...found].map(([, target]) => posix.join(posix.dirname(path), target));
}

/** Imports that point up, or from a baseline into more of the compiler than it may know. */
function importsUpward(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [path, source] of sources) {
    if (layerOf(path) < 0) continue;
    for (const target of importsOf(path, source)) {
      const up = layerOf(target) < layerOf(path);
      const fromBaseline = path.startsWith('baselines/') && target.startsWith('compiler/');
      if (up || (fromBaseline && !OF_COMPILER_FOR_BASELINES.some((folder) => target.startsWith(`${folder}/`))))
        broken.push(`${path} imports ${target}`);
    }
  }
  return broken;
}

/** Each circle of imports once, as `a > b > a`. */
function importCircles(sources: Sources): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    const at = above.indexOf(path);
    if (at >= 0) circles.push([...above.slice(at), path].join(' > '));
    if (at >= 0 || done.has(path)) return;
    for (const target of importsOf(path, sources.get(path) ?? '')) visit(target, [...above, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return circles;
}

function lines(source: string): number {
  return source.split('\n').length - 1;
}

function filesTooLong(sources: Sources): string[] {
  return [...sources]
    .filter(([path, source]) => !path.startsWith('test/') && lines(source) > LONGEST_FILE)
    .map(([path, source]) => `${path} has ${lines(source)} lines, allowed ${LONGEST_FILE}`);
}

/** Names that say nothing of what is inside. */
function emptyNames(sources: Sources): string[] {
  return [...sources.keys()].filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.|$)/i.test(path));
}

/** Layers that print, exit or read the command line without being cli/. */
function printsOutsideCli(sources: Sources): string[] {
  const touches = /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|exit|exitCode|argv)\b/;
  return [...sources]
    .filter(([path, source]) => layerOf(path) >= 0 && !path.startsWith('cli/') && touches.test(codeOnly(source)))
    .map(([path]) => path);
}

/** Every .ts file of the package but this one, whose planted sources would be taken for its own. */
function readSources(): Sources {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const entries = readdirSync(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|dist$)/.test(entry.name));
  const paths = [
    ...entries.filter((entry) => entry.isFile()).map(({ name }) => name),
    ...folders.flatMap(({ name }) =>
      readdirSync(root + name, { recursive: true, encoding: 'utf8' }).map((path) => posix.join(name, path)),
    ),
  ];
  return new Map(
    paths
      .filter((path) => path.endsWith('.ts') && path !== 'test/architecture.test.ts')
      .map((path) => [path, readFileSync(root + path, 'utf8')]),
  );
}

describe('the tree', () => {
  const sources = readSources();

  test('is read: layers from top to bottom, tests and benches too', () => {
    for (const folder of ['emulator/', 'kernels/', 'compiler/', 'cli/', 'test/', 'bench/'])
      expect([...sources.keys()].some((path) => path.startsWith(folder))).toBe(true);
    expect(importsOf('emulator/laws.ts', sources.get('emulator/laws.ts') ?? '')).toContain(
      'emulator/program/causes.ts',
    );
  });

  test('every import names a file that is there', () => {
    for (const [path, source] of sources)
      for (const target of importsOf(path, source))
        if (target.endsWith('.ts')) expect(sources.keys()).toContain(target);
  });

  test('imports point down', () => expect(importsUpward(sources)).toEqual([]));

  test('no file imports itself by way of others', () => expect(importCircles(sources)).toEqual([]));

  test('no file is longer than 400 lines, half are shorter than 120', () => {
    expect(filesTooLong(sources)).toEqual([]);
    const lengths = [...sources].filter(([path]) => layerOf(path) >= 0).map(([, source]) => lines(source));
    lengths.sort((a, b) => a - b);
    expect(lengths[lengths.length >> 1]).toBeLessThanOrEqual(120);
  });

  test('files are named for what is in them', () => expect(emptyNames(sources)).toEqual([]));

  test('only the command line prints, exits and reads arguments', () => expect(printsOutsideCli(sources)).toEqual([]));
});

const planted = (files: Record<string, string>): Sources => new Map(Object.entries(files));

describe('a planted violation is seen', () => {
  test('an import that points up', () => {
    const sources = planted({
      'emulator/core.ts': "import type { Kernel } from '../kernels/kernel.ts';",
      'kernels/kernel.ts': "import { run } from '../emulator/core.ts';",
      'run/pass.ts': "export { print } from '../cli/print.ts';",
      'kernels/lazy.ts': "const load = () => import('../compiler/graph/graph.ts');",
      'baselines/gpu.ts':
        "import { place } from '../compiler/mapping/place.ts';\nimport { graph } from '../compiler/graph/graph.ts';",
      'compiler/lower.ts': "// import { x } from '../cli/x.ts';\nimport { y } from '../kernels/y.ts';",
    });
    expect(importsUpward(sources)).toEqual([
      'emulator/core.ts imports kernels/kernel.ts',
      'run/pass.ts imports cli/print.ts',
      'kernels/lazy.ts imports compiler/graph/graph.ts',
      'baselines/gpu.ts imports compiler/mapping/place.ts',
    ]);
  });

  test('a circle of imports', () => {
    const sources = planted({
      'emulator/a.ts': "import { b } from './b.ts';",
      'emulator/b.ts': "import type { C } from './c.ts';\nimport { d } from './d.ts';",
      'emulator/c.ts': "export * from './b.ts';",
      'emulator/d.ts': '',
    });
    expect(importCircles(sources)).toEqual(['emulator/b.ts > emulator/c.ts > emulator/b.ts']);
  });

  test('a file too long, unless it is a test', () => {
    const long = 'x;\n'.repeat(401);
    const sources = planted({ 'cli/a.ts': long, 'test/a.test.ts': long, 'cli/b.ts': 'x;\n'.repeat(400) });
    expect(filesTooLong(sources)).toEqual(['cli/a.ts has 401 lines, allowed 400']);
  });

  test('a name that says nothing', () => {
    const names = ['run/utils.ts', 'emulator/helpers/bits.ts', 'compiler/common.ts', 'misc.ts', 'cli/miscount.ts'];
    expect(emptyNames(planted(Object.fromEntries(names.map((name) => [name, '']))))).toEqual(names.slice(0, 4));
  });

  test('printing outside the command line', () => {
    const sources = planted({
      'run/a.ts': "console.log('a');",
      'kernels/b.ts': 'process.exit(1);',
      'compiler/c.ts': 'const [node] = process.argv;',
      'report/d.ts': 'const wide = `${process.stdout.columns}`;',
      'report/e.ts': "// console.log\nconst why = 'written to process.stdout by the console';",
      'cli/f.ts': 'process.stdout.write(text);',
    });
    expect(printsOutsideCli(sources)).toEqual(['run/a.ts', 'kernels/b.ts', 'compiler/c.ts', 'report/d.ts']);
  });
});
