// The file with the smallest case that breaks a law: beside what --json names, else where the user is, and the command
// that runs it again.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LawError, SmallestCase } from '../emulator/laws.ts';
import { STDOUT } from './destination.ts';

/** The message of a broken law, once its smallest case is written. */
export function writeSmallest({ message, smallest }: LawError, argv: readonly string[]): string {
  return smallest === undefined ? message : `${message}\n${writeSmallestIn(folderOf(argv), smallest)}`;
}

/** Says where the smallest case is, once it is written into a folder. */
export function writeSmallestIn(folder: string, smallest: SmallestCase): string {
  const { stem, suffix, content, before, after } = smallest;
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 8);
  const file = join(folder, `law-${stem.replace(/[^\w.-]+/g, '-')}-${hash}${suffix}`);
  const command = ['emulate', before, file, after].filter((word) => word !== '').join(' ');
  try {
    writeFileSync(file, content);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `the smallest case that shows it could not be written to ${file} (${why})`;
  }
  return `the smallest case that shows it is in ${file}; it breaks the law again with: ${command}`;
}

/** The folder of the report that is not written. */
function folderOf(argv: readonly string[]): string {
  const at = argv.findIndex((word) => word === '--json' || word.startsWith('--json='));
  const json = at < 0 ? STDOUT : argv[at] === '--json' ? argv[at + 1] : argv[at].slice('--json='.length);
  return json === undefined || json === STDOUT ? '.' : dirname(json);
}
