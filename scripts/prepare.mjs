// Builds on install; a production install without the compiler keeps what is there and says so.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync(new URL('../node_modules/typescript/package.json', import.meta.url))) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', shell: true });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write('wafer-emulator: no TypeScript compiler here, keeping dist/ as it is\n');
}
