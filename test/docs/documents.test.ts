// The documents against the tree: links lead somewhere, CI runs what the README says, commands that are shown exist.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function markdownFiles(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return /^(\.|node_modules$|dist$|coverage$)/.test(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Links of a document to files of the tree, without their anchors. */
function localLinks(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target.split('#')[0])
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

function brokenLinks(path: string, text: string): string[] {
  return localLinks(text).filter((target) => !existsSync(resolve(root, dirname(path), target)));
}

describe('links', () => {
  test.each(markdownFiles())('%s', (path) => expect(brokenLinks(path, read(path))).toEqual([]));

  test('a broken one is seen', () => {
    const text = '[a](README.md#run-it) [b](docs/nothing.md) [c](https://example.org/x)';
    expect(brokenLinks('README.md', text)).toEqual(['docs/nothing.md']);
  });
});

/** The line of a script that sets up and tests. */
const commandOf = (script: string): string | undefined => script.split('\n').find((line) => line.startsWith('npm ci'));

describe('README', () => {
  const readme = read('README.md');
  const blocks = [...readme.matchAll(/```sh\n([^]*?)\n```/g)].map(([, block]) => block);
  test('has the two commands, each set-up included', () => {
    expect(blocks).toEqual(['npm ci && npx emulate examples/gpt3-xl.json', 'npm ci && npm run check']);
    expect(existsSync(join(root, 'examples/gpt3-xl.json'))).toBe(true);
  });

  test('has the test command that CI runs', () => {
    expect(commandOf(read('.ci/run'))).toBe(blocks[1]);
    expect(statSync(join(root, '.ci/run')).mode & 0o111).toBeGreaterThan(0);
  });

  test('names scripts that package.json has', () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    const named = markdownFiles().flatMap((path) =>
      [...read(path).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name),
    );
    expect(named).toContain('bench');
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });
});
