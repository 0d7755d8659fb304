// How many output features a PE sums at a time (K), for each matmul of a model: only the running one has its accumulators in
// SRAM, so each may have as many as fit beside its own operands.

import { internalError } from '../../emulator/errors.ts';

/** The matmuls of a layer by their weights, the LM head, and a matmul that is a model by itself. */
export const matmulNames = ['qkv', 'attentionOut', 'mlpIn', 'mlpOut', 'lmHead', 'matmul'] as const;

export type MatmulName = (typeof matmulNames)[number];

export type AccumulatorsByName = Readonly<Partial<Record<MatmulName, number>>>;

/** One number for all matmuls, or one for each that the model has. */
export type Accumulators = number | AccumulatorsByName;

export function accumulatorsOf(accumulators: Accumulators, name: MatmulName): number {
  const own = typeof accumulators === 'number' ? accumulators : accumulators[name];
  if (own === undefined) throw internalError(`${name} has no accumulators`);
  return own;
}

/** As tables and messages print them: `8`, or what most have and who has others, `128 (lmHead 48)`. */
export function accumulatorsText(accumulators: Accumulators): string {
  if (typeof accumulators === 'number') return String(accumulators);
  const entries = Object.entries(accumulators);
  const having = (count: number): number => entries.filter(([, own]) => own === count).length;
  const [, usual] = entries.reduce((most, entry) => (having(entry[1]) > having(most[1]) ? entry : most));
  const others = entries.filter(([, own]) => own !== usual).map(([name, own]) => `${name} ${own}`);
  return others.length === 0 ? String(usual) : `${usual} (${others.join(', ')})`;
}
