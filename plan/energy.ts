// An estimate of energy, twice: what wafers take by the table of the machine file (run/energy.ts), and what whole systems draw.
// A CS-1 draws up to 20 kW, of which its wafer takes 15 (data sheet and launch, 2019); a CS-2 up to 23 kW (data sheet), and
// a CS-3 is said to draw as much. That 15 kW is the least of any system in operation is assumed. Power supplies, pumps and
// the rest of a system are not in the first.

import type { MachineChoice } from '../compiler/model/spec.ts';
import type { MachineName } from '../emulator/machine/presets/index.ts';

/** Watts of a system, least and most. */
const SYSTEM_WATTS: Readonly<Record<MachineName, readonly [number, number]>> = {
  wse1: [15e3, 20e3],
  wse2: [15e3, 23e3],
  wse3: [15e3, 23e3],
};

export interface Energy {
  /** Of all wafers while they compute. */
  readonly waferJoules: number;
  /** Of all systems, least and most; null for a machine that is not sold. */
  readonly systemJoules: readonly [number, number] | null;
}

export const NO_ENERGY: Energy = { waferJoules: 0, systemJoules: [0, 0] };

/** Of the system of a machine, least and most; null unless the machine is a preset as it is. */
export function systemWatts({ preset, overridden }: MachineChoice): readonly [number, number] | null {
  return preset === null || overridden.length > 0 ? null : SYSTEM_WATTS[preset];
}

/** `waferJoules` are those of all wafers, `systemSeconds` those of all systems. */
export function energyOf(choice: MachineChoice, waferJoules: number, systemSeconds: number): Energy {
  const watts = systemWatts(choice);
  return {
    waferJoules,
    systemJoules: watts === null ? null : [watts[0] * systemSeconds, watts[1] * systemSeconds],
  };
}

export function addEnergy(a: Energy, b: Energy): Energy {
  const [ours, theirs] = [a.systemJoules, b.systemJoules];
  return {
    waferJoules: a.waferJoules + b.waferJoules,
    systemJoules: ours === null || theirs === null ? null : [ours[0] + theirs[0], ours[1] + theirs[1]],
  };
}
