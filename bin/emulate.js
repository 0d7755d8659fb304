#!/usr/bin/env node
// Tracked so that `npx emulate` links a file that exists even before the first build.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('emulate: not built yet; run `npm install` (or `npm run build`) in the package first\n');
  process.exitCode = 1;
}
