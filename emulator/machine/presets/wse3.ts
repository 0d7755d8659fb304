// The WSE-3 of the CS-3 (2024): wider SIMD and more PEs. What is not said here is as on the WSE-2.

import type { MachinePreset } from '../spec.ts';
import { unknownEnergy, wse2 } from './wse2.ts';

export const wse3: MachinePreset = {
  machine: {
    ...wse2.machine,
    name: 'wse3',
    fabric: { ...wse2.machine.fabric, width: 755, height: 1170 },
    core: { ...wse2.machine.core, simdFp16: 8, simdFp16ToFp32: 4, simdFp32Add: 4 },
    energy: { ...wse2.machine.energy, joulesPerComputeSlot: 5e-12, joulesPerReduceSlot: 1.64e-12 },
  },
  sources: {
    ...wse2.sources,
    clockHz: 'assumed: as WSE-2',
    'fabric.width': 'SDK: usable fabric of a CS-3',
    'fabric.height': 'SDK: usable fabric of a CS-3',
    'core.simdFp16': 'Hot Chips 36: 8-way fp16 FMAC',
    'core.simdFp16ToFp32': 'assumed: half of fp16, as on WSE-2',
    'core.simdFp32Add': 'assumed: half of fp16, as on WSE-2',
    ...unknownEnergy('5 nm takes less'),
    'energy.joulesPerComputeSlot': 'assumed: as WSE-2, with 8 products and sums; 5 nm takes less',
    'energy.joulesPerReduceSlot': 'assumed: as WSE-2, with 4 sums; 5 nm takes less',
  },
};
