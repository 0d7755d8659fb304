// Which engines found the cycles of a run, and why not a faster way. It can depend on the host (WebAssembly may be
// missing), so it stands apart from the results, which do not.

import type { OperatorResult } from '../run/result.ts';

export interface EngineCount {
  readonly engine: string;
  readonly path: string;
  readonly why: string;
  /** Kernels of all operators, those of a kind in a row counted once. */
  readonly kernels: number;
}

export function enginesOf(operators: readonly OperatorResult[]): EngineCount[] {
  const counts = new Map<string, EngineCount>();
  for (const { steps } of operators)
    for (const { engine, path, why } of steps) {
      const key = `${engine}\n${path}\n${why}`;
      counts.set(key, { engine, path, why, kernels: (counts.get(key)?.kernels ?? 0) + 1 });
    }
  return [...counts.values()].sort((a, b) => b.kernels - a.kernels || (a.path < b.path ? -1 : 1));
}
