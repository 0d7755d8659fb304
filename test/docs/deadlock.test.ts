// The deadlock of docs/engines.md: its program, run, says what stands below it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EXIT } from '../../emulator/errors.ts';
import { emulate, folderWith } from '../cli/emulated.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/engines.md', import.meta.url)), 'utf8');
const example = page.split('<!-- deadlock: begin -->')[1].split('<!-- deadlock: end -->')[0];

/** What stands in the block of a kind. */
function block(kind: string): string {
  return example.split(`\`\`\`${kind}\n`)[1].split('```')[0];
}

test('the program of the page deadlocks as it says there', async () => {
  const folder = folderWith({ 'greeting.json': block('json') });
  const { code, err } = await emulate(['kernel', '--spec', join(folder, 'greeting.json')]);
  expect(code).toBe(EXIT.deadlock);
  expect(err).toBe(block('text'));
});
