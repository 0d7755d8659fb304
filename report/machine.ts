// The machine of a report: the preset it starts from and every constant that differs from it, with who said so.

import { isDeepStrictEqual } from 'node:util';
import { machineFields } from '../compiler/model/machineSchema.ts';
import { valueAt } from '../compiler/model/paths.ts';
import type { MachineChoice } from '../compiler/model/spec.ts';
import { machinePresets } from '../emulator/machine/presets/index.ts';
import type { Machine } from '../emulator/machine/spec.ts';

export interface Difference {
  readonly path: string;
  readonly value: unknown;
  /** What the preset says; null without a preset. */
  readonly preset: unknown;
  readonly unit: string;
  readonly source: string;
}

export interface MachinePart {
  readonly name: string;
  readonly preset: string | null;
  readonly file: string | null;
  readonly constants: Machine;
  /** Constants unlike the preset's; without a preset all. */
  readonly differs: readonly Difference[];
}

export function machinePart({ machine, preset, file, sources }: MachineChoice): MachinePart {
  const base = preset === null ? undefined : machinePresets[preset].machine;
  const differs = machineFields
    .map(({ path, keys, unit }) => ({
      path,
      value: valueAt(machine, keys),
      preset: valueAt(base, keys) ?? null,
      unit,
      source: sources[path] ?? '',
    }))
    .filter(({ value, preset: usual }) => value !== usual);
  return { name: machine.name, preset, file, constants: machine, differs };
}

/** PEs of the wafer. */
export interface Fabric {
  readonly width: number;
  readonly height: number;
}

export function fabricOf({ fabric: { width, height } }: Machine): Fabric {
  return { width, height };
}

/** Of a machine that came without them, as in a program file: the preset's, if it is one as it stands; else none. */
export function sourcesOf(machine: Machine): MachineChoice['sources'] {
  const preset = Object.values(machinePresets).find((one) => isDeepStrictEqual(one.machine, machine));
  return preset === undefined ? {} : preset.sources;
}
