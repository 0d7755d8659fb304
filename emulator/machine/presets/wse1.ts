// The WSE-1 of the CS-1 (2019): the same core and fabric, fewer of them. What is not said here is as on the WSE-2.

import type { MachinePreset } from '../spec.ts';
import { unknownEnergy, wse2 } from './wse2.ts';

export const wse1: MachinePreset = {
  machine: {
    ...wse2.machine,
    name: 'wse1',
    fabric: { ...wse2.machine.fabric, width: 602, height: 595 },
  },
  sources: {
    ...wse2.sources,
    clockHz: 'assumed: as WSE-2',
    'fabric.width': 'Rocki et al., SC20: compute fabric 602 x 595',
    'fabric.height': 'Rocki et al., SC20: compute fabric 602 x 595',
    ...unknownEnergy('16 nm takes more'),
  },
};
