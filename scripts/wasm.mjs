// Compiles the AssemblyScript of emulator/wasm/assembly to emulator/wasm/binary.ts; with --check, compares instead, so
// that the committed binary is known to come from the source beside it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const out = join(mkdtempSync(join(tmpdir(), 'wasm-')), 'kernels.wasm');
const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--importMemory', '--outFile', out];
execFileSync(
  process.execPath,
  [join(root, 'node_modules/assemblyscript/bin/asc.js'), 'emulator/wasm/assembly/index.ts', ...flags],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
const base64 = readFileSync(out).toString('base64');
const target = join(root, 'emulator/wasm/binary.ts');
const text = `// Made by \`npm run wasm\` from assembly/; do not edit.

// biome-ignore format: one line
export const BINARY = '${base64}';
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write('emulator/wasm/binary.ts is not what assembly/ gives; run `npm run wasm`\n');
    process.exitCode = 1;
  }
} else writeFileSync(target, text);
