// Where goldens lie: every *.golden.json under a folder, or the one file named; and where a new one is put.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inputError } from '../../emulator/errors.ts';
import { GOLDEN_ENDING } from '../../report/golden/document.ts';

/** In the order of their names, whatever the file system's is. */
export function goldensAt(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw inputError(`${path}: no such file or folder, allowed a golden or a folder of goldens`);
  if (!stats.isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(GOLDEN_ENDING))
    .sort()
    .map((file) => join(path, file));
  if (files.length > 0) return files;
  throw inputError(`${path}: no golden (*${GOLDEN_ENDING}) in it; emulate check ${path} --add MODEL makes one`);
}

export function newGoldenFile(folder: string, name: string): string {
  const file = join(folder, `${name.replace(/[^\w.-]+/g, '-')}${GOLDEN_ENDING}`);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return file;
  throw inputError(`${file}: is there already; emulate check ${file} --update writes its numbers anew`);
}
