// The table of machine presets.

import type { MachinePreset } from '../spec.ts';
import { wse1 } from './wse1.ts';
import { wse2 } from './wse2.ts';
import { wse3 } from './wse3.ts';

export const machinePresets = { wse1, wse2, wse3 } as const satisfies Record<string, MachinePreset>;

export type MachineName = keyof typeof machinePresets;
