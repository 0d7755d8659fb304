// What a report says of a GPU beside the time: its name, the data-sheet peak and memory, and the time that a roofline
// of them gives. The roofline errs by 29 to 42 % on measured GEMMs, always in the GPU's favour; it is a bound to quote
// and no estimate.

import { GPUS, type Gpu, type GpuName } from './presets.ts';

export interface PeakFacts {
  readonly displayName: string;
  /** Dense 16-bit tensor FLOP/s. */
  readonly peakFlops: number;
  readonly hbmBytes: number;
  /** Bytes/s. */
  readonly hbmBandwidth: number;
}

export function peakFacts(name: GpuName): PeakFacts {
  const { displayName, peakFlops, hbmBytes, hbmBandwidth } = GPUS[name];
  return { displayName, peakFlops, hbmBytes, hbmBandwidth };
}

/** Seconds below which no kernel of so many FLOPs and HBM bytes can go. */
export function rooflineSeconds(gpu: Gpu, flops: number, bytes: number): number {
  return Math.max(flops / gpu.peakFlops, bytes / gpu.hbmBandwidth);
}
