// A weight matrix on a group of columns: its mask, and where its input and output features lie.

import type { Layout } from './layout.ts';
import type { Mask } from './mask.ts';

/** A matrix as it lies on a group: output features in stream order, input features at their positions. */
export interface PlacedWeights {
  readonly mask: Mask;
  /**
   * The matrix is the mask transposed, as for the gradient by the activation: its input features are the rows of the mask
   * (in a heads layout of shared heads each copy is one), its output features the mask's columns.
   */
  readonly transposed?: true;
  readonly input: Layout;
  readonly output: Layout;
}
