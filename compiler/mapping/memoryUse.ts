// What a PE's memory holds during an operator, as items, and what decides it.

import type { Mapping } from './mapping.ts';

export interface MemoryItem {
  readonly what: string;
  readonly bytes: number;
}

export interface MemoryUse {
  /** The operator during which it is fullest. */
  readonly operator: string;
  readonly items: readonly MemoryItem[];
  readonly bytes: number;
  readonly sramBytes: number;
}

/** What decides the memory of an operator; the mapper tries it before the rest of a mapping is known. */
export type MemoryChoice = Pick<
  Mapping,
  'columns' | 'tokensPerPe' | 'accumulators' | 'accumulate' | 'keyBlock' | 'causal' | 'logitSlice' | 'gradients'
>;

export const FP16 = 2;
export const FP32 = 4;

/** Bytes of `features` features of all tokens of a PE. */
export function vectors(features: number, { tokensPerPe }: MemoryChoice): number {
  return FP16 * features * tokensPerPe;
}

/** Bytes of a partial sum of one token. */
export function bytesOfSum({ accumulate }: Pick<MemoryChoice, 'accumulate'>): number {
  return accumulate === 'fp16' ? FP16 : FP32;
}
