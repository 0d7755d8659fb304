// What only a process of its own shows: a reader that goes, and an interrupt.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const entry = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const spmm = ['kernel', 'spmm', '--in', '2000', '--out', '2000', '--tokens', '64'];

function start(argv: readonly string[]) {
  return spawn(process.execPath, ['--import', 'tsx', entry, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('a reader that goes away is no fault', async () => {
  const child = start([...spmm, '--rows', '400', '--cols', '100', '--json', '-']);
  let err = '';
  child.stderr.on('data', (text) => (err += String(text)));
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = await once(child, 'close');
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('an interrupt ends a long run within a second, with 130', async () => {
  const child = start([...spmm, '--rows', '200', '--cols', '200', '--engine', 'stepped']);
  // Long enough for the run to be on its way; it would take minutes.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const from = performance.now();
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  expect(code).toBe(130);
  expect(performance.now() - from).toBeLessThan(1000);
});
