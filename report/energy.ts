// The energy of a run in a report: an estimate, in parts, each with its count, what one costs and who says so.

import type { MachineChoice } from '../compiler/model/spec.ts';
import type { Machine } from '../emulator/machine/spec.ts';
import { type EnergyPart, energyParts } from '../run/energy.ts';
import type { WaferResult } from '../run/result.ts';
import { scaled } from './numbers.ts';

export interface EnergyReport {
  readonly isEstimate: true;
  readonly joules: number;
  readonly watts: number;
  /** `source`: empty where the machine comes without. */
  readonly parts: readonly (EnergyPart & { readonly source: string })[];
}

export function energyReport(machine: Machine, sources: MachineChoice['sources'], result: WaferResult): EnergyReport {
  const parts = energyParts(machine, result).map((part) => ({ ...part, source: sources[part.constant] ?? '' }));
  const joules = parts.reduce((sum, part) => sum + part.joules, 0);
  return { isEstimate: true, joules, watts: joules / result.seconds, parts };
}

const NAMED = 3;

/** One line: the largest parts by name, the rest as one. */
export function energyText({ joules, watts, parts }: EnergyReport): string {
  if (joules === 0) return 'estimate: nothing, by the machine file';
  const sorted = parts.toSorted((a, b) => b.joules - a.joules);
  const share = (some: EnergyReport['parts']): string =>
    `${((100 * some.reduce((sum, part) => sum + part.joules, 0)) / joules).toFixed(0)} %`;
  const named = sorted.slice(0, NAMED).map((part) => `${part.short} ${share([part])}`);
  return `estimate: ${inUnits(joules, 'J')}, ${inUnits(watts, 'W')}: ${named.join(', ')}, rest ${share(sorted.slice(NAMED))}`;
}

export function inUnits(value: number, unit: string): string {
  const small = ['', 'm', 'u', 'n', 'p'];
  let i = 0;
  let x = value;
  for (; x > 0 && x < 1 && i < small.length - 1; i++) x *= 1000;
  const text = i === 0 ? scaled(x) : x.toPrecision(4);
  return text.includes(' ') ? `${text}${unit}` : `${text} ${small[i]}${unit}`;
}
