// An estimate of energy, twice: what the cores that issue take by the machine file, and what whole systems draw, from the
// maker's data sheets. A CS-2 is rated at 23 kW at its peak; 15 kW is an assumed draw in steady operation. A CS-3 is said to
// draw as much, a CS-1 is rated at 20 kW. Cores alone are far less: power supplies, pumps, fabric and SRAM are not in it.

import type { MachineChoice } from '../compiler/model/spec.ts';
import type { MachineName } from '../emulator/machine/presets/index.ts';

/** Watts of a system, least and most. */
const SYSTEM_WATTS: Readonly<Record<MachineName, readonly [number, number]>> = {
  wse1: [15e3, 20e3],
  wse2: [15e3, 23e3],
  wse3: [15e3, 23e3],
};

export interface Energy {
  /** Of all cores that issue. */
  readonly coreJoules: number;
  /** Of all systems, least and most; null for a machine that is not sold. */
  readonly systemJoules: readonly [number, number] | null;
}

export const NO_ENERGY: Energy = { coreJoules: 0, systemJoules: [0, 0] };

/** Of the system of a machine, least and most; null unless the machine is a preset as it is. */
export function systemWatts({ preset, overridden }: MachineChoice): readonly [number, number] | null {
  return preset === null || overridden.length > 0 ? null : SYSTEM_WATTS[preset];
}

/** `busyCycles` are those of all cores, `systemSeconds` those of all systems. */
export function energyOf(choice: MachineChoice, busyCycles: number, systemSeconds: number): Energy {
  const watts = systemWatts(choice);
  return {
    coreJoules: busyCycles * choice.machine.energy.joulesPerCoreCycle,
    systemJoules: watts === null ? null : [watts[0] * systemSeconds, watts[1] * systemSeconds],
  };
}

export function addEnergy(a: Energy, b: Energy): Energy {
  const [ours, theirs] = [a.systemJoules, b.systemJoules];
  return {
    coreJoules: a.coreJoules + b.coreJoules,
    systemJoules: ours === null || theirs === null ? null : [ours[0] + theirs[0], ours[1] + theirs[1]],
  };
}
