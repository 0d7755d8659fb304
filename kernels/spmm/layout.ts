// Where the features of an activation lie on the ring of a group, and in which order a matrix streams them.
//   strided  feature k at ring position k mod C, local index floor(k / C)
//   heads    the features of a head in adjacent columns, so that scores are reduced over few columns: with H heads and
//            C >= H columns a head has floor(C / H) columns and ceil(headDim / that) features on each; with C < H a
//            column holds ceil(H / C) whole heads. Columns left over hold padding, which is streamed as empty rows.
// In the heads layout keys and values of shared heads (grouped-query attention) are repeated for each query head.

import { columnOf } from '../../emulator/program/ring.ts';

export interface HeadsLayout {
  readonly kind: 'heads';
  readonly heads: number;
  readonly headDim: number;
  /** For each part (Q, K, V), the heads it really has; one part where the layout is of one activation. */
  readonly parts: readonly number[];
}

export type Layout = { readonly kind: 'strided'; readonly features: number } | HeadsLayout;

/** How heads share columns. */
export interface HeadColumns {
  /** Columns of one head. */
  readonly columnsPerHead: number;
  /** Heads of one column. */
  readonly headsPerColumn: number;
  /** Features of one head on one column. */
  readonly features: number;
}

export function headColumns(heads: number, headDim: number, cols: number): HeadColumns {
  const columnsPerHead = Math.max(1, Math.floor(cols / heads));
  return {
    columnsPerHead,
    headsPerColumn: Math.max(1, Math.ceil(heads / cols)),
    features: Math.ceil(headDim / columnsPerHead),
  };
}

/** Features a PE holds of an activation in this layout, padding included. */
export function localFeatures(layout: Layout, cols: number): number {
  if (layout.kind === 'strided') return Math.ceil(layout.features / cols);
  const { headsPerColumn, features } = headColumns(layout.heads, layout.headDim, cols);
  return layout.parts.length * headsPerColumn * features;
}

/** Features before padding. */
export function featureCount(layout: Layout): number {
  if (layout.kind === 'strided') return layout.features;
  return layout.parts.reduce((sum, heads) => sum + heads * layout.headDim, 0);
}

/**
 * Entry f * C + p: the feature at local index f of ring position p, or -1 for padding. The order in which the output
 * features of a matrix are streamed, so that each ends where it belongs. The strided layout streams no padding.
 */
export function streamOrder(layout: Layout, cols: number): Int32Array {
  if (layout.kind === 'strided') return Int32Array.from({ length: layout.features }, (_, n) => n);
  const { heads, headDim, parts } = layout;
  const { columnsPerHead, headsPerColumn, features } = headColumns(heads, headDim, cols);
  const order = new Int32Array(localFeatures(layout, cols) * cols).fill(-1);
  let part = 0;
  let at = 0;
  for (const partHeads of parts) {
    for (let p = 0; p < cols; p++) {
      const column = columnOf(p, cols);
      const firstHead = Math.floor(column / columnsPerHead) * headsPerColumn;
      const firstFeature = (column % columnsPerHead) * features;
      for (let local = 0; local < headsPerColumn * features; local++) {
        const head = firstHead + Math.floor(local / features);
        const feature = firstFeature + (local % features);
        if (head >= heads || feature >= headDim) continue;
        const source = Math.floor((head * partHeads) / heads);
        order[(at + local) * cols + p] = part + source * headDim + feature;
      }
    }
    part += partHeads * headDim;
    at += headsPerColumn * features;
  }
  return order;
}

/** By feature: its ring position and its local index there, as `position` and `local`. Needs a layout without repeats. */
export function placeOf(layout: Layout, cols: number): { position: Uint16Array; local: Uint16Array } {
  const features = featureCount(layout);
  const position = new Uint16Array(features);
  const local = new Uint16Array(features);
  streamOrder(layout, cols).forEach((feature, i) => {
    if (feature < 0) return;
    position[feature] = i % cols;
    local[feature] = Math.floor(i / cols);
  });
  return { position, local };
}
