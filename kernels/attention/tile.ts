// A tile of attention: the scores of `keys` keys, from `firstKey` on, of the key block that a row holds, with the T
// queries of the row. Causal: key b meets the queries b .. T - 1 only; where the key's row comes later in the sequence
// than the query's, query b itself is masked by value. Both vectors are stored, [head][key][query].
//
// The tile is cut in segments, one for each column of the head: segment n is the queries i with i mod columns = n. Its
// elements in order are, key by key, its queries in order.

export interface Tile {
  readonly headCols: number;
  readonly headsPerColumn: number;
  readonly tokens: number;
  readonly firstKey: number;
  readonly keys: number;
  readonly causal: boolean;
}

/** First query that key b meets. */
export function firstQuery({ causal }: Tile, key: number): number {
  return causal ? key : 0;
}

/** Queries of segment n from query `from` on. */
export function segmentQueries({ headCols, tokens }: Tile, n: number, from: number): number {
  return Math.ceil((tokens - n) / headCols) - Math.max(0, Math.ceil((from - n) / headCols));
}

/** Queries that meet key b, added over the keys of the tile by `of`. */
export function sumOverKeys(tile: Tile, of: (queries: number, key: number) => number): number {
  let sum = 0;
  for (let key = tile.firstKey; key < tile.firstKey + tile.keys; key++)
    sum += of(tile.tokens - firstQuery(tile, key), key);
  return sum;
}

/** Slots of one instruction a key, each over the queries that meet it. */
export function vectorSlots(tile: Tile, simd: number): number {
  return sumOverKeys(tile, (queries) => Math.ceil(queries / simd));
}

/** Elements of segment n, one head. */
export function segmentElements(tile: Tile, n: number): number {
  return sumOverKeys(tile, (_queries, key) => segmentQueries(tile, n, firstQuery(tile, key)));
}

/** Where element (head, key, query) lies within the tile's words. */
export function tileWord({ keys, firstKey, tokens }: Tile, head: number, key: number, query: number): number {
  return (head * keys + key - firstKey) * tokens + query;
}

/** Words, within the tile, of the elements of segment n in order; of one head, since a head of many columns is alone on them. */
export function segmentWords(tile: Tile, n: number): number[] {
  const words: number[] = [];
  for (let key = tile.firstKey; key < tile.firstKey + tile.keys; key++)
    for (let i = n; i < tile.tokens; i += tile.headCols)
      if (i >= firstQuery(tile, key)) words.push(tileWord(tile, 0, key, i));
  return words;
}
