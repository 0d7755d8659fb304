// What timing one kernel gives, and how it is put together from the causes of its PEs.

import { EmulateError, EXIT } from '../emulator/errors.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { CAUSE, CAUSE_COUNT, whereAt } from '../emulator/program/causes.ts';
import type { EngineUse, Slots } from './result.ts';

export interface StepTiming extends EngineUse {
  /** Of the rectangle; where rows are folded, of one row. */
  readonly cycles: number;
  readonly pes: number;
  /** Cycles of all its PEs by cause, in the order of CAUSES; they add up to cycles * pes. */
  readonly totals: readonly number[];
  /** Of the PE that issues the most. */
  readonly slots: Slots;
}

/** Of the causes of each PE: their totals, and the slots of the PE that issues the most, of several the first. */
export function countsOf(where: ArrayLike<number>): Pick<StepTiming, 'totals' | 'slots'> {
  const totals = Array.from({ length: CAUSE_COUNT }, () => 0);
  let fullest = 0;
  let most = -1;
  for (let pe = 0; pe < where.length; pe += CAUSE_COUNT) {
    for (let c = 0; c < CAUSE_COUNT; c++) totals[c] += where[pe + c];
    const slots = where[pe + CAUSE.compute] + where[pe + CAUSE.overhead] + where[pe + CAUSE.reduce];
    if (slots <= most) continue;
    most = slots;
    fullest = pe;
  }
  const { compute, overhead, reduce } = whereAt(where, fullest);
  return { totals, slots: { compute, overhead, reduce } };
}

/** Throws (exit 3) where a kernel needs more colors than a router knows. */
export function checkColors(kernel: string, colors: number, { fabric }: Machine): void {
  if (colors <= fabric.colors) return;
  const message = `${kernel} does not fit: it needs ${colors} colors, the limit is ${fabric.colors} (${colors - fabric.colors} too many); what would help: a machine with more colors`;
  throw new EmulateError(EXIT.doesNotFit, message);
}
