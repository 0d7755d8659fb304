// Where the features of an activation lie on the ring of a group, and in which order a matrix streams them.
//   strided  feature k at ring position k mod C, local index floor(k / C); of several parts (gate and up of a SwiGLU)
//            each lies so by itself, so that features of the same number meet on a column
//   heads    head by head on neighbouring columns (kernels/attention/layout.ts), so that scores are reduced over few of
//            them; what holds no feature is padding
// In the heads layout keys and values of shared heads (grouped-query attention) are repeated for each query head.

import { headLayout, placeOfHead, positionOf } from '../attention/layout.ts';

export interface HeadsLayout {
  readonly kind: 'heads';
  readonly heads: number;
  readonly headDim: number;
  /** Pairs of features share a column (rotary positions). */
  readonly pairs: boolean;
  /** For each part (Q, K, V), the heads it really has; one part where the layout is of one activation. */
  readonly parts: readonly number[];
}

export interface StridedLayout {
  readonly kind: 'strided';
  readonly features: number;
  /** Equal parts that `features` is made of. */
  readonly parts?: number;
}

export type Layout = StridedLayout | HeadsLayout;

/** Features a PE holds of an activation in this layout, padding included. */
export function localFeatures(layout: Layout, cols: number): number {
  if (layout.kind === 'strided') {
    const { features, parts = 1 } = layout;
    return parts * Math.ceil(features / parts / cols);
  }
  const { headsPerColumn, features } = headLayout(layout.heads, layout.headDim, cols, layout.pairs);
  return layout.parts.length * headsPerColumn * features;
}

/** Features before padding. */
export function featureCount(layout: Layout): number {
  if (layout.kind === 'strided') return layout.features;
  return layout.parts.reduce((sum, heads) => sum + heads * layout.headDim, 0);
}

/** Entry f * C + p: the feature at local index f of ring position p, or -1 for padding. */
export function placesOf(layout: Layout, cols: number): Int32Array {
  if (layout.kind === 'strided') return stridedPlaces(layout, cols);
  const { heads, headDim, parts, pairs } = layout;
  const place = headLayout(heads, headDim, cols, pairs);
  const order = new Int32Array(localFeatures(layout, cols) * cols).fill(-1);
  let firstFeature = 0;
  let firstLocal = 0;
  for (const partHeads of parts) {
    for (let head = 0; head < heads; head++) {
      const source = Math.floor((head * partHeads) / heads);
      for (let feature = 0; feature < headDim; feature++) {
        const { x, local } = placeOfHead(place, head, feature);
        order[(firstLocal + local) * cols + positionOf(x, cols)] = firstFeature + source * headDim + feature;
      }
    }
    firstFeature += partHeads * headDim;
    firstLocal += place.headsPerColumn * place.features;
  }
  return order;
}

/** Padding keeps parts together. */
function stridedPlaces({ features, parts = 1 }: StridedLayout, cols: number): Int32Array {
  const part = features / parts;
  const padded = Math.ceil(part / cols) * cols;
  const places = new Int32Array(parts * padded).fill(-1);
  for (let p = 0; p < parts; p++) for (let k = 0; k < part; k++) places[p * padded + k] = p * part + k;
  return places;
}

/** The output features of a matrix in the order in which they are streamed. */
export interface StreamOrder {
  /** Rows of the matrix; -1 for an empty one. */
  readonly rows: Int32Array;
  /** Where each ends: ring position, local index there. */
  readonly ends: Uint16Array;
  readonly locals: Uint16Array;
}

/**
 * Local index by local index round the ring, so that each feature ends a little further on than the one before. Padding
 * is left out, but where two features in a row would end at the same position.
 */
export function streamOrder(layout: Layout, cols: number): StreamOrder {
  const places = placesOf(layout, cols);
  // Beside each place at most one of padding.
  const streamed = new Int32Array(2 * places.length);
  let count = 0;
  let before = -1;
  for (let place = 0; place < places.length; place++) {
    if (places[place] < 0) continue;
    if (cols > 1 && before >= 0 && before % cols === place % cols) streamed[count++] = before + 1;
    streamed[count++] = place;
    before = place;
  }
  const order = { rows: new Int32Array(count), ends: new Uint16Array(count), locals: new Uint16Array(count) };
  for (let n = 0; n < count; n++) {
    const place = streamed[n];
    order.rows[n] = places[place];
    order.ends[n] = place % cols;
    order.locals[n] = Math.floor(place / cols);
  }
  return order;
}

/** By feature: its ring position and its local index there. Needs a layout without repeats. */
export function placeOf(layout: Layout, cols: number): { position: Uint16Array; local: Uint16Array } {
  const features = featureCount(layout);
  const position = new Uint16Array(features);
  const local = new Uint16Array(features);
  placesOf(layout, cols).forEach((feature, i) => {
    if (feature < 0) return;
    position[feature] = i % cols;
    local[feature] = Math.floor(i / cols);
  });
  return { position, local };
}

/** Where each feature lies, one after the other; one that has copies, as often. */
export function featurePlaces(layout: Layout, cols: number): { feature: number; position: number; local: number }[] {
  const places = Array.from(placesOf(layout, cols), (feature, place) => ({
    feature,
    position: place % cols,
    local: Math.floor(place / cols),
  }));
  return places.filter(({ feature }) => feature >= 0).toSorted((a, b) => a.feature - b.feature);
}
