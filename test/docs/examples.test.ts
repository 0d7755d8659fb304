// Every command that an example's README shows is run, and prints what stands below it. WAFER_UPDATE=1 writes anew what
// stands there; the change is then to be read like any other.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { main } from '../../cli/emulate.ts';
import type { Io } from '../../cli/io.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory());

interface Shown {
  readonly argv: readonly string[];
  /** The block of text that follows the command, if there is one before the next command. */
  readonly prints: string | undefined;
}

function commandsOf(readme: string): Shown[] {
  const blocks = [...readme.matchAll(/```(sh|text|json)\n([^]*?)```/g)];
  return blocks.flatMap(([, kind, block], i) => {
    if (kind !== 'sh') return [];
    const next = blocks.at(i + 1);
    // Paths are given from the root of the package, where the tests run.
    const argv = block.trim().split(/\s+/).slice(2);
    return [{ argv, prints: next === undefined || next[1] === 'sh' ? undefined : next[2] }];
  });
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A sweep makes a folder beside the user, named after the model; here it is elsewhere, and gone afterwards. */
async function runElsewhere(argv: readonly string[]): Promise<Ran> {
  if (argv[0] !== 'sweep') return run(argv);
  const folder = mkdtempSync(join(tmpdir(), 'wafer-sweep-'));
  try {
    const ran = await run([...argv, '--out', folder]);
    return { ...ran, out: ran.out.replaceAll(folder, `${basename(argv[1], '.json')}.sweep`) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(argv: readonly string[]): Promise<Ran> {
  const texts = { out: '', err: '' };
  const into = (name: 'out' | 'err'): Io['stdout'] => ({
    isTTY: false,
    write: (text) => {
      texts[name] += text;
      return Promise.resolve();
    },
  });
  const io: Io = { stdout: into('out'), stderr: into('err'), env: {}, signal: new AbortController().signal };
  return { code: await main(argv, io), ...texts };
}

function update(file: string, before: string, after: string): void {
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(`\n${before}\`\`\``, () => `\n${after}\`\`\``),
  );
}

/** How long a run took is that of the computer it ran on. */
function withoutHost(text: string): string {
  return text.replace(/^host .*\n/gm, '');
}

describe.each(examples.map(({ name }) => name))('%s', (name) => {
  const file = join(root, 'examples', name, 'README.md');
  const shown = commandsOf(readFileSync(file, 'utf8'));

  test('shows a command and what it prints', () => {
    expect(shown.some(({ prints }) => prints !== undefined)).toBe(true);
  });

  test.each(shown)(
    'emulate $argv',
    async ({ argv, prints }) => {
      const { code, out, err } = await runElsewhere(argv);
      expect(err).toBe('');
      expect(code).toBe(0);
      if (prints === undefined) return;
      if (process.env.WAFER_UPDATE === '1') update(file, prints, out);
      else expect(withoutHost(out)).toBe(withoutHost(prints));
    },
    60_000,
  );
});
