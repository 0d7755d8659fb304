// The beginning of attention, local: the queries are scaled by 1 / sqrt(headDim), and the output, the running maxima and
// the sums are set to nothing.
//
// Memory of a PE, in 32-bit words, each holding one value:
//   queries and output [heads][F][T] fp16; maximum [heads][S] fp16 and sum [heads][S] fp32, S = ceil(T / columns)

import type { Machine } from '../../emulator/machine/spec.ts';
import { fp16 } from '../../emulator/numerics/fp16.ts';
import type { PeCode } from '../../emulator/program/fabric.ts';
import type { LocalShape } from '../local.ts';
import type { HeadLayout } from './layout.ts';

/** On a rectangle of one head (or of one column's heads) and one row. */
export function attentionStart(layout: HeadLayout, tokens: number, { core }: Machine): LocalShape {
  const { headCols, headsPerColumn, features } = layout;
  const kept = Math.ceil(tokens / headCols);
  const perHead = 2 * features * Math.ceil(tokens / core.simdFp16);
  const state = Math.ceil(kept / core.simdFp16) + Math.ceil(kept / core.simdFp32Add);
  return { kernel: 'local', rows: 1, cols: headCols, slots: headsPerColumn * (perHead + state) };
}

export function attentionStartCode(
  { headCols, headsPerColumn, features, headDim }: HeadLayout,
  tokens: number,
  at: { readonly queries: number; readonly output: number; readonly maximum: number; readonly sum: number },
): PeCode {
  const count = headsPerColumn * features * tokens;
  const kept = headsPerColumn * Math.ceil(tokens / headCols);
  const scale = fp16(1 / Math.sqrt(headDim));
  return (memory, base) => {
    for (let i = 0; i < count; i++) {
      memory[base + at.queries + i] = fp16(memory[base + at.queries + i] * scale);
      memory[base + at.output + i] = 0;
    }
    memory.fill(-Infinity, base + at.maximum, base + at.maximum + kept);
    memory.fill(0, base + at.sum, base + at.sum + kept);
    return 0;
  };
}
