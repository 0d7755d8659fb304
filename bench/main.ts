// Wall and CPU time of the main job as a user starts it: `emulate examples/gpt3-xl.json`, start of Node included.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { host, table } from './measure.ts';

const RUNS = 3;
const usageSchema = z.object({ cpuSeconds: z.number(), maxRSS: z.number() });
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Use {
  readonly wall: number;
  readonly cpu: number;
  readonly mebibytes: number;
}

function emulate(model: string): Use {
  const folder = mkdtempSync(join(tmpdir(), 'wafer-bench-'));
  const file = join(folder, 'usage.json');
  const from = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', join(root, 'dist/bench/usage.js'), join(root, 'bin/emulate.js'), join(root, model)],
    { env: { ...process.env, WAFER_BENCH_USAGE: file }, encoding: 'utf8' },
  );
  const wall = (performance.now() - from) / 1000;
  if (status !== 0) throw new Error(`emulate ${model} ended with ${status}: ${stderr}`);
  const { cpuSeconds, maxRSS } = usageSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  rmSync(folder, { recursive: true });
  return { wall, cpu: cpuSeconds, mebibytes: maxRSS / 1024 };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

if (!existsSync(join(root, 'dist/cli/main.js'))) console.log('The command line is not built: nothing to time.');
else {
  const rows = ['examples/gpt3-xl.json', 'examples/gpt2-small.json'].map((model) => {
    const uses = Array.from({ length: RUNS }, () => emulate(model));
    return [
      `emulate ${model}`,
      median(uses.map(({ wall }) => wall)).toFixed(2),
      median(uses.map(({ cpu }) => cpu)).toFixed(2),
      median(uses.map(({ mebibytes }) => mebibytes)).toFixed(0),
    ];
  });
  console.log(`Main job, median of ${RUNS} runs; ${host()}\n`);
  console.log(table(['command', 'wall, s', 'CPU, s', 'memory, MiB'], rows));
}
