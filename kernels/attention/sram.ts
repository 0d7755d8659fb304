// What one attention takes of a PE's SRAM, in bytes: fp16 takes two, fp32 four.

import { type AttentionCase, layoutOf, rowsPerSequence } from './steps.ts';

export interface AttentionSram {
  readonly queries: number;
  /** Keys and values, twice where a sequence takes more than one row: the block worked on and the one that arrives. */
  readonly keysAndValues: number;
  readonly tile: number;
  readonly output: number;
  /** Alphas, running maxima and sums. */
  readonly state: number;
}

export function attentionSram(attention: AttentionCase): AttentionSram {
  const { tokens, keyBlock, accumulate } = attention;
  const { headCols, headsPerColumn, features } = layoutOf(attention);
  const vectors = 2 * headsPerColumn * features * tokens;
  const blocks = rowsPerSequence(attention) > 1 ? 2 : 1;
  const kept = Math.ceil(tokens / headCols);
  return {
    queries: vectors,
    keysAndValues: blocks * 2 * vectors,
    tile: headsPerColumn * Math.min(keyBlock, tokens) * tokens * (accumulate === 'fp16' ? 2 : 4),
    output: vectors,
    state: headsPerColumn * (2 * tokens + (2 + 4) * kept),
  };
}
