// What of a model a training step changes: which weights get gradients, and of which of their entries.

import { isAdapter } from './adapters.ts';
import type { GraphNode, Training } from './graph.ts';

export type Trained = Pick<Training, 'weights' | 'denseGradients'>;

/** A step that trains the weights there are. */
export const TRAINS_ALL: Trained = { weights: 'all', denseGradients: false };

export function isTrained(node: Pick<GraphNode, 'id'>, { weights }: Pick<Trained, 'weights'>): boolean {
  return weights === 'all' || isAdapter(node);
}
