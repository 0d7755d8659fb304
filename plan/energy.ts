// An estimate of energy, twice: what the cores that issue take by the machine file, and what whole systems draw. A CS-1 draws
// up to 20 kW, of which its wafer takes 15 (data sheet and launch, 2019); a CS-2 up to 23 kW (data sheet), and a CS-3 is
// said to draw as much. That 15 kW is the least of any system in operation is assumed. Cores alone are far less: fabric,
// SRAM, power supplies and pumps are not in them.

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
