// Mappings that were found before: used without a search, found anew when anything they depend on is another, and no harm
// done by a file or a folder that is not what it should be.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseMapping } from '../../../run/mapper.ts';
import type { MappingCache } from '../../../run/mapper/cache.ts';
import { inProcessTimer, type Timer } from '../../../run/timer.ts';
import { anyMapping, gptLike, graphOf, waferOf } from '../tiny.ts';

const graph = graphOf(gptLike, 4, 16);
const machine = waferOf(13, 12);

/** A timer that counts what it is asked. */
function counting(): { timer: Timer; asked: () => number } {
  const inner = inProcessTimer();
  let asked = 0;
  const time: Timer['time'] = (...step) => {
    asked++;
    return inner.time(...step);
  };
  return { timer: { time, close: () => inner.close() }, asked: () => asked };
}

let folder = '';
let cache: MappingCache = { folder, version: '1' };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wafer-cache-'));
  cache = { folder: join(folder, 'a', 'b'), version: '1' };
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Is it searched for? The mapping is the right one in any case. */
async function isSearched(
  instead: Partial<{ graph: typeof graph; machine: typeof machine; cache: MappingCache }> = {},
) {
  const { timer, asked } = counting();
  const on = { graph, machine, cache, ...instead };
  const mapping = await chooseMapping(on.graph, on.machine, anyMapping, timer, undefined, on.cache);
  expect(mapping).toEqual(await chooseMapping(on.graph, on.machine, anyMapping, inProcessTimer()));
  return asked() > 0;
}

const files = (): string[] => readdirSync(cache.folder).map((name) => join(cache.folder, name));

test('a mapping is searched for once', async () => {
  expect(await isSearched()).toBe(true);
  expect(files()).toHaveLength(1);
  expect(await isSearched()).toBe(false);
  expect(files()).toHaveLength(1);
});

test.each([
  ['another seed', { graph: graphOf({ ...gptLike, sparsity: { value: 0.6, seed: 9 } }, 4, 16) }],
  ['another batch', { graph: graphOf(gptLike, 3, 16) }],
  ['another machine', { machine: { ...machine, core: { ...machine.core, axpyOverhead: 4 } } }],
])('%s is another search', async (_, instead) => {
  await isSearched();
  expect(await isSearched(instead)).toBe(true);
  expect(await isSearched(instead)).toBe(false);
  expect(files()).toHaveLength(2);
});

test('another version is another search', async () => {
  await isSearched();
  expect(await isSearched({ cache: { ...cache, version: '2' } })).toBe(true);
});

test('another name is not', async () => {
  await isSearched();
  expect(await isSearched({ graph: { ...graph, name: 'other' }, machine: { ...machine, name: 'other' } })).toBe(false);
});

describe('a file that is damaged is as good as none, and written anew', () => {
  test.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['cut off', (text) => text.slice(0, -20)],
    ['of another form', () => '{"mapping": 7}'],
    ['with another mapping', (text) => text.replace(/"tokensPerPe":\d+/, '"tokensPerPe":16')],
    ['with a mapping that does not fit', (text) => text.replace(/"columns":\d+/, '"columns":1000')],
  ])('%s', async (_, change) => {
    await isSearched();
    const [file] = files();
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, change(before));
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    expect(await isSearched()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

test('a folder that cannot be made is not missed', async () => {
  writeFileSync(join(folder, 'a'), 'a file');
  expect(await isSearched()).toBe(true);
  expect(await isSearched()).toBe(true);
});
