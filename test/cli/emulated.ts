// The command line in this process: what it printed where, and its exit code.

import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { main } from '../../cli/emulate.ts';
import type { Io } from '../../cli/io.ts';

export interface Emulated {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function emulate(argv: readonly string[], world: Partial<Io> = {}): Promise<Emulated> {
  const texts = { out: '', err: '' };
  const into = (name: 'out' | 'err'): Io['stdout'] => ({
    isTTY: false,
    write: (text) => {
      texts[name] += text;
      return Promise.resolve();
    },
  });
  const { signal } = new AbortController();
  // Every kernel that waits for a worker listens.
  setMaxListeners(0, signal);
  const io = { stdout: into('out'), stderr: into('err'), env: {}, signal, ...world };
  return { code: await main(argv, io), ...texts };
}

/** A folder with these files, gone when the test ends. */
export function folderWith(files: Readonly<Record<string, string | object>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'wafer-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

/** Two layers of 64 features on 16 x 16 PEs. */
export const tinyModel = {
  layers: 2,
  width: 64,
  heads: 4,
  ff: 128,
  vocabulary: 96,
  context: 32,
  workload: { batch: 4, sequence: 32 },
  sparsity: 0.75,
  machine: { preset: 'wse2', fabric: { width: 16, height: 16 } },
} as const;
