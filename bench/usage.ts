// Loaded before the program that bench/main.ts times: says at its end what it took, all threads together.

import { writeFileSync } from 'node:fs';

const file = process.env.WAFER_BENCH_USAGE;
if (file !== undefined)
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(file, JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, maxRSS }));
  });
