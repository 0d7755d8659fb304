// An estimate of the energy of a run: what it did, counted exactly, times what each costs by the machine file. A slot of vector
// work reads two vectors of SRAM and writes one, each as wide as the datapath; a slot of reduction reads a word and
// writes one. Power supplies, pumps and the host are not in it.

import { type Machine, withBankConflicts } from '../emulator/machine/spec.ts';
import type { WaferResult } from './result.ts';

const WORD = 32;
const HALF = 16;

export interface EnergyPart {
  readonly what: string;
  /** The same in a word or two. */
  readonly short: string;
  /** Of all passes, on the whole wafer. */
  readonly count: number;
  readonly joulesEach: number;
  readonly joules: number;
  /** Constants of the machine that say it, by path. */
  readonly constant: string;
}

export function energyParts(given: Machine, { cycles, mapping, operators }: WaferResult): EnergyPart[] {
  const machine = withBankConflicts(given);
  const { fabric, core, energy } = machine;
  const inAll = (of: (operator: WaferResult['operators'][number]) => number): number =>
    mapping.passes * operators.reduce((sum, operator) => sum + of(operator), 0);
  const compute = inAll(({ where }) => where.compute);
  const overhead = inAll(({ where }) => where.overhead);
  const reduce = inAll(({ where }) => where.reduce);
  const sramWords = (3 * compute * core.simdFp16 * HALF) / WORD + 2 * reduce;
  const part = (
    what: string,
    short: string,
    count: number,
    constant: keyof Machine['energy'],
    times: number = 1,
  ): EnergyPart => {
    const joulesEach = energy[constant] * times;
    return { what, short, count, joulesEach, joules: count * joulesEach, constant: `energy.${constant}` };
  };
  return [
    part('cycles of all PEs', 'clock', cycles * fabric.width * fabric.height, 'joulesPerCycle'),
    part('slots of vector work', 'vector work', compute, 'joulesPerComputeSlot'),
    part('slots of overhead', 'overhead', overhead, 'joulesPerOverheadSlot'),
    part('slots of reduction', 'reduction', reduce, 'joulesPerReduceSlot'),
    part('words of SRAM', 'SRAM', sramWords, 'joulesPerSramWord'),
    part(
      'hops of wavelets',
      'hops',
      inAll(({ traffic }) => traffic.hops),
      'joulesPerBitHop',
      WORD,
    ),
    part(
      'words over the edge',
      'edge',
      inAll(({ traffic }) => traffic.edgeWords),
      'joulesPerEdgeWord',
    ),
  ];
}

export function joulesOf(machine: Machine, result: WaferResult): number {
  return energyParts(machine, result).reduce((sum, { joules }) => sum + joules, 0);
}
