// What of a model a training step changes: which weights get gradients, and of which of their entries.

import { isAdapter } from './adapters.ts';
import type { GraphNode } from './graph.ts';

export interface Trained {
  /** All weights, or those of adapters alone; what is frozen still passes gradients on to what it read. */
  readonly weights: 'all' | 'adapters';
  /** Gradients also of the weights that are zero, which is how RigL finds those that should not be. */
  readonly denseGradients: boolean;
}

/** A step that trains the weights there are. */
export const TRAINS_ALL: Trained = { weights: 'all', denseGradients: false };

export function isTrained(node: Pick<GraphNode, 'id'>, { weights }: Pick<Trained, 'weights'>): boolean {
  return weights === 'all' || isAdapter(node);
}
