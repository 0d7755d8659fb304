// One case for people: the cycles, what they went to, and which ring positions have the most and the least to do.

import type { Machine } from '../../emulator/machine/spec.ts';
import { CAUSE, CAUSES } from '../../emulator/program/causes.ts';
import { columnOf } from '../../emulator/program/ring.ts';
import type { KernelCase } from '../../run/kernelCase.ts';
import { type KernelTiming, totalsOf, whereOf } from './timing.ts';

export function summaryOf({ kernel }: KernelCase, timing: KernelTiming, { name, clockHz }: Machine): string {
  const { cycles, outer, inner, engine, path, why } = timing;
  const totals = totalsOf(timing);
  const isRing = kernel === 'spmm' || kernel === 'weightGradient';
  const percent = (cause: number): string => percentOf(totals[cause], cycles * outer * inner);
  const width = Math.max(...CAUSES.map((cause) => cause.length));
  const lines = [
    `${kernel} on ${name}: ${outer} x ${inner} PEs`,
    `  cycles       ${cycles.toLocaleString('en-US')} (${((1000 * cycles) / clockHz).toPrecision(6)} ms at ${clockHz / 1e6} MHz)`,
    `  engine       ${engine}, ${path}${why === '' ? '' : ` (${why})`}`,
    ...(isRing ? [`  utilisation  ${percent(CAUSE.compute)} of the multiply-add slots of these PEs`] : []),
    ...(isRing ? positionLines(timing) : []),
    '  cycles of all PEs',
    ...CAUSES.map((cause, i) => `    ${cause.padEnd(width)}  ${percent(i).padStart(8)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function percentOf(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(2)} %`;
}

/** All rows of a ring position have the same slots to issue; those with the most hold up the others. */
function positionLines(timing: KernelTiming): string[] {
  const { cycles, outer } = timing;
  const slots = Array.from({ length: outer }, (_, p) => {
    const { compute, overhead, reduce } = whereOf(timing, p, 0);
    return compute + overhead + reduce;
  });
  const line = (label: string, most: number): string => {
    const p = slots.indexOf(most);
    return `  ${label}ring position ${p} (column ${columnOf(p, outer)}), slots in ${percentOf(most, cycles)} of its cycles`;
  };
  return [
    line(
      'slowest      ',
      slots.reduce((a, b) => Math.max(a, b)),
    ),
    line(
      'fastest      ',
      slots.reduce((a, b) => Math.min(a, b)),
    ),
  ];
}
