// The operators of a run, and their kernels, as slices over all its passes. Runs of a kernel that is repeated are one slice.

import type { WaferResult } from '../../run/result.ts';
import type { Slice, Timeline, Track } from './timeline.ts';

const GROUP = 'wafer';
const PASSES = 0;
const OPERATORS = 1;
const KERNELS = 2;

export function operatorTimeline(name: string, { operators, mapping, cycles }: WaferResult): Timeline {
  const tracks: Track[] = ['passes', 'operators', 'kernels'].map((track) => ({
    name: track,
    kind: 'slices',
    group: GROUP,
  }));
  const slices: Slice[] = [];
  const passCycles = cycles / mapping.passes;
  for (let pass = 0; pass < mapping.passes; pass++) {
    let at = pass * passCycles;
    slices.push({ track: PASSES, from: at, until: at + passCycles, name: `pass ${pass}`, value: pass, details: {} });
    operators.forEach((operator, i) => {
      const { boundBy, kind } = operator;
      const utilisation = Number((100 * operator.utilisation).toFixed(2));
      const details = { kind, 'bound by': boundBy, 'utilisation, %': `${utilisation}` };
      slices.push({ track: OPERATORS, from: at, until: at + operator.cycles, name: operator.name, value: i, details });
      operator.steps.forEach(({ kernel, repeat, cycles: each, path }, j) => {
        const until = at + repeat * each;
        const of = { operator: operator.name, runs: repeat, 'cycles of each': each, path };
        slices.push({ track: KERNELS, from: at, until, name: kernel, value: j, details: of });
        at = until;
      });
    });
  }
  return { name, tracks, slices, counts: [] };
}
