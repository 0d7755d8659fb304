// The GPUs, from NVIDIA's data sheets: V100 SXM2, A100 SXM4, H100 SXM5 and H200 SXM. SMs, clocks and HBM bandwidth of
// A100 and H100 as their drivers report them; 1830 MHz is the clock at which Hopper's quoted 989 TFLOP/s hold (the boost
// limit is 1980 MHz). FLOP/cycle/SM is the dense 16-bit tensor rate with fp32 accumulation. PCIe boards have other clocks
// and power limits, so they stand only for their memory: bandwidth-bound operators may be asked of them.

import { ARCHITECTURES, type Architecture } from './architectures.ts';

export interface Gpu {
  readonly displayName: string;
  readonly architecture: Architecture;
  readonly sms: number;
  readonly clockHz: number;
  /** Dense tensor FLOPs a cycle and SM. */
  readonly flopPerCycle: number;
  /** Dense 16-bit tensor peak as the data sheet states it, FLOP/s. */
  readonly peakFlops: number;
  /** Peak bytes/s of the HBM. */
  readonly hbmBandwidth: number;
  /** Bytes of HBM. */
  readonly hbmBytes: number;
  /** Bytes of L2. No formula needs them. */
  readonly l2Bytes: number;
}

const { volta, ampere, hopper } = ARCHITECTURES;

const a100 = {
  architecture: ampere,
  sms: 108,
  clockHz: 1410e6,
  flopPerCycle: 2048,
  peakFlops: 312e12,
  l2Bytes: 40e6,
} as const;

const gh100 = {
  architecture: hopper,
  sms: 132,
  clockHz: 1830e6,
  flopPerCycle: 4096,
  peakFlops: 989e12,
  l2Bytes: 50e6,
} as const;

export const GPUS = {
  v100: {
    displayName: 'NVIDIA V100 SXM2 32 GB',
    architecture: volta,
    sms: 80,
    clockHz: 1530e6,
    flopPerCycle: 1024,
    peakFlops: 125e12,
    hbmBandwidth: 900e9,
    hbmBytes: 32e9,
    l2Bytes: 6e6,
  },
  'a100-40gb': { displayName: 'NVIDIA A100 SXM4 40 GB', ...a100, hbmBandwidth: 1555e9, hbmBytes: 40e9 },
  'a100-80gb': { displayName: 'NVIDIA A100 SXM4 80 GB', ...a100, hbmBandwidth: 2039e9, hbmBytes: 80e9 },
  h100: { displayName: 'NVIDIA H100 SXM5 80 GB', ...gh100, hbmBandwidth: 3352e9, hbmBytes: 80e9 },
  h200: { displayName: 'NVIDIA H200 SXM 141 GB', ...gh100, hbmBandwidth: 4800e9, hbmBytes: 141e9 },
} as const satisfies Record<string, Gpu>;

export type GpuName = keyof typeof GPUS;

/** Boards known for their memory only. 1935 GB/s: NVIDIA A100 80 GB PCIe product brief. */
export const PCIE_BOARDS = {
  'v100-pcie': { ...GPUS.v100, displayName: 'NVIDIA V100 PCIe' },
  'a100-40gb-pcie': { ...GPUS['a100-40gb'], displayName: 'NVIDIA A100 PCIe 40 GB' },
  'a100-80gb-pcie': { ...GPUS['a100-80gb'], displayName: 'NVIDIA A100 PCIe 80 GB', hbmBandwidth: 1935e9 },
} as const satisfies Record<string, Gpu>;

export type PcieBoardName = keyof typeof PCIE_BOARDS;

/** Other names in use: of data tables, of cloud offers, of the drivers. */
const otherNames: Readonly<Record<string, GpuName | PcieBoardName>> = {
  'v100-sxm': 'v100',
  'v100-sxm2': 'v100',
  'v100-32gb': 'v100',
  a100: 'a100-80gb',
  'a100-40': 'a100-40gb',
  'a100-80': 'a100-80gb',
  'a100-sxm': 'a100-80gb',
  'a100-sxm4': 'a100-80gb',
  'a100-sxm4-40gb': 'a100-40gb',
  'a100-sxm4-80gb': 'a100-80gb',
  'a100-40-pcie': 'a100-40gb-pcie',
  'a100-80-pcie': 'a100-80gb-pcie',
  'h100-80': 'h100',
  'h100-80gb': 'h100',
  'h100-sxm': 'h100',
  'h100-sxm5': 'h100',
  'h200-sxm': 'h200',
  'h200-141gb': 'h200',
};

/** Our name for a GPU; what is nobody's name comes back as it was, for the schema to refuse. */
export function gpuNameOf(given: string): string {
  const plain = given
    .toLowerCase()
    .replaceAll(/[_ ]/g, '-')
    .replace(/^nvidia-/, '');
  if (plain in GPUS || plain in PCIE_BOARDS) return plain;
  return Object.hasOwn(otherNames, plain) ? otherNames[plain] : given;
}
