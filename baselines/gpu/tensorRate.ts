// The tensor rate that a kernel meets. It falls while the GPU works: at the burst clock a kernel reaches `burst` of the
// peak, and once the power limiter has seen random data for long, `throttle` less. An A100 that could do 290 TFLOP/s
// trains at 256. And it depends on alignment: tensor cores take rows of eight 16-bit elements.

import { FITTED } from './architectures.ts';
import type { Gpu } from './presets.ts';

/** Training and serving: such work has been running for long. */
export const STEADY = Number.POSITIVE_INFINITY;

/** FLOP/s of one SM at the data-sheet clock. */
export function smPeak(gpu: Gpu): number {
  return gpu.clockHz * gpu.flopPerCycle;
}

/** Share of the tensor peak that is reached after `runSeconds` of such work. */
export function tensorShare(gpu: Gpu, runSeconds: number): number {
  const { tensorEfficiency, throttle } = gpu.architecture;
  const heated = runSeconds === STEADY ? 1 : runSeconds / (runSeconds + FITTED.throttleTime);
  return tensorEfficiency * (1 - throttle * heated);
}

/**
 * Factor on the tensor rate where the rows of an operand are not multiples of eight elements. 0.68 is measured (H100, FFN
 * of 10922 against 10944: 272.7 against 398.4 TFLOP/s); 0.85 and 0.35 are assumed.
 */
export function alignmentFactor(elements: number): number {
  if (elements % 8 === 0) return 1;
  if (elements % 4 === 0) return 0.85;
  return elements % 2 === 0 ? 0.68 : 0.35;
}
