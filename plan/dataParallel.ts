// Several systems that share a batch (data parallelism), as the maker's SwarmX joins them: a tree sends every weight to all
// systems and adds up their gradients on the way back. As the maker describes it (cerebras.net, glossary, SwarmX), a node
// has four ways and keeps up with the edges of its systems in both directions, and latency grows with the logarithm of
// the systems. So what can bind is the edge, which weights and gradients share, or the wafer behind it. The latency of a
// hop is assumed, a microsecond for a switch and its cable: far below a step.

import type { Machine } from '../emulator/machine/spec.ts';
import type { Bound } from '../run/result.ts';
import type { StepTime } from './step.ts';
import type { EdgeTraffic } from './traffic.ts';

export const FAN_OUT = 4;
export const HOP_SECONDS = 1e-6;

export interface SystemsStep {
  readonly seconds: number;
  /** The edge, or what binds the wafer, which `weight stream` also is. */
  readonly boundBy: Bound | 'edge';
  /** What the wafer takes, and what its edge would take alone. */
  readonly waferSeconds: number;
  readonly edgeSeconds: number;
  /** First weight down and last gradient up the tree; nothing where there is one system. */
  readonly treeSeconds: number;
}

export function stepOnSystems(
  { seconds: waferSeconds, boundBy }: Pick<StepTime, 'seconds' | 'boundBy'>,
  { bitsIn, bitsOut }: EdgeTraffic,
  { edge }: Pick<Machine, 'edge'>,
  systems: number,
): SystemsStep {
  const edgeSeconds = (bitsIn + bitsOut) / edge.bitsPerSecond;
  const treeSeconds = 2 * treeLevels(systems) * HOP_SECONDS;
  const isEdge = edgeSeconds > waferSeconds;
  return {
    seconds: Math.max(waferSeconds, edgeSeconds) + treeSeconds,
    boundBy: isEdge ? 'edge' : boundBy,
    waferSeconds,
    edgeSeconds,
    treeSeconds,
  };
}

/** Nodes between the root of the weights and a system. */
export function treeLevels(systems: number): number {
  let levels = 0;
  for (let reached = 1; reached < systems; reached *= FAN_OUT) levels++;
  return levels;
}
