// Files for a test, in a folder that goes when the test ends, and the message of what fails.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { EmulateError } from '../../../emulator/errors.ts';

export function written(files: Readonly<Record<string, string | object>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'wafer-model-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

/** The message of an input error, its folder taken out; anything else thrown, or nothing, fails the test. */
export function refusal(run: () => unknown, folder?: string): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof EmulateError) || error.code !== 2) throw error;
    return folder === undefined ? error.message : error.message.replaceAll(`${folder}/`, '');
  }
  throw new Error('nothing was refused');
}
