// `--html`: a page beside all else, and no other number for it.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { emulate, folderWith, tinyModel } from './emulated.ts';

const hashes = z.looseObject({ hashes: z.unknown(), operators: z.unknown() });

test('the main command writes it, and its report is the same with and without', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const command = [`${folder}/tiny.json`, '--workers', '2', '--json', '-'];
  const without = await emulate(command);
  const withPage = await emulate([...command, '--html', `${folder}/tiny.html`]);
  expect({ code: withPage.code, err: withPage.err }).toEqual({ code: 0, err: '' });
  expect(hashes.parse(JSON.parse(withPage.out))).toMatchObject(
    hashes.pick({ hashes: true, operators: true }).strip().parse(JSON.parse(without.out)),
  );
  const html = readFileSync(`${folder}/tiny.html`, 'utf8');
  expect(html).toMatch(/^<!doctype html>[^]*<h1>tiny<\/h1>[^]*Speed-up over sparsity[^]*<\/html>\n$/);
});

test('a program has a page of its own, without a GPU, the same for any number of workers', async () => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  await emulate(['compile', `${folder}/tiny.json`, '--out', `${folder}/tiny.program`]);
  const pageWith = async (workers: string): Promise<string> => {
    const { code, out } = await emulate(['run', `${folder}/tiny.program`, '--workers', workers, '--html', '-']);
    expect(code).toBe(0);
    return out;
  };
  const one = await pageWith('1');
  expect(one).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
  expect(one).not.toContain('Speed-up over sparsity');
  expect(await pageWith('2')).toBe(one);
});

test.each([
  [['--html', '-', '--json', '-'], /--json - and --html -: got stdout for both, allowed for one/],
  [['--html', '/no/such/folder/x.html'], /--html \/no\/such\/folder\/x\.html: cannot be written/],
])('%j is refused before the work starts', async (flags, message) => {
  const folder = folderWith({ 'tiny.json': tinyModel });
  const { code, out, err } = await emulate([`${folder}/tiny.json`, ...flags]);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});
