// The WSE-2 of the CS-2 (2021). "Luczynski" is Luczynski et al., "Near-Optimal Wafer-Scale Reduce", HPDC 2024, whose
// closed forms were checked on a CS-2; "SDK" the maker's public CSL language guide; "assumed" says that the maker
// published nothing and why this value was taken.

import type { MachinePreset } from '../spec.ts';

export const wse2: MachinePreset = {
  machine: {
    name: 'wse2',
    clockHz: 0.85e9,
    fabric: { width: 750, height: 994, colors: 24, routerBuffer: 2, rampLatency: 2, creditLatency: 1 },
    core: {
      inputQueue: 6,
      outputQueue: 6,
      resultLatency: 1,
      microthreads: 8,
      simdFp16: 4,
      simdFp16ToFp32: 2,
      simdFp32Add: 2,
      simdFp32: 1,
      axpyOverhead: 5,
      controlSlots: 1,
      kernelStart: 56,
      expOps: 8,
      geluOps: 12,
      siluOps: 12,
      reciprocalOps: 4,
      rsqrtOps: 5,
    },
    memory: { sramBytes: 49_152, reservedBytes: 4_096, bankConflict: 1 },
    edge: { bitsPerSecond: 1.2e12 },
    energy: {
      joulesPerCycle: 1.5e-12,
      joulesPerComputeSlot: 3e-12,
      joulesPerOverheadSlot: 1e-12,
      joulesPerReduceSlot: 1.32e-12,
      joulesPerSramWord: 3.75e-12,
      joulesPerBitHop: 0.15e-12,
      joulesPerEdgeWord: 320e-12,
    },
  },
  sources: {
    clockHz: "the maker's own conversions of cycles to time (SDK); one slide says 1.1 GHz",
    'fabric.width': 'SDK: usable fabric of a CS-2',
    'fabric.height': 'SDK: usable fabric of a CS-2',
    'fabric.colors': 'SDK: 24 routable colors',
    'fabric.routerBuffer': 'assumed: the least that passes one wavelet a cycle at creditLatency 1',
    'fabric.rampLatency': 'Luczynski: T_R = 2',
    'fabric.creditLatency': 'assumed: a hop back',
    'core.inputQueue': 'assumed; SDK gives queue depths of 2 to 8 words',
    'core.outputQueue': 'assumed; SDK gives queue depths of 2 to 8 words',
    'core.resultLatency': 'Luczynski: 6 cycles a hop of a chain reduce = 2 ramps of 2, one hop, one result',
    'core.microthreads': 'SDK: 8 microthreads',
    'core.simdFp16': 'Hot Chips 34 / IEEE Micro 2023: 4-way fp16 FMAC',
    'core.simdFp16ToFp32': 'Hot Chips 31: mixed precision at half rate',
    'core.simdFp32Add': 'SDK: two fp32 additions a cycle',
    'core.simdFp32': 'SDK: one fp32 FMAC a cycle',
    'core.axpyOverhead': 'assumed: task start and DSR set-up; 2 to 12 is possible',
    'core.controlSlots': 'assumed: one slot for a control task',
    'core.kernelStart':
      'measured for a software-started kernel in the literature; taken for every start between barriers',
    'core.expOps': 'assumed: range reduction 2, polynomial of degree 4 (4), exponent 1, select 1',
    'core.geluOps': 'assumed: tanh form, cubic 3, exp 8, combine 1',
    'core.siluOps': 'assumed: exp 8, reciprocal 3, product 1',
    'core.reciprocalOps': 'assumed: table seed 1, one Newton step 3',
    'core.rsqrtOps': 'assumed: table seed 1, one Newton step 4',
    'memory.sramBytes': 'Hot Chips 34: 48 KB a core, 8 banks, 16 bytes read and 8 written a cycle',
    'memory.reservedBytes': 'assumed: 4 KB of code and queues',
    'memory.bankConflict': 'the compiler lays vectors out so that none occur; measured factor when they do: 2',
    'edge.bitsPerSecond': 'CS-2 data sheet: 12 x 100 Gb/s Ethernet',
    'energy.joulesPerCycle':
      'assumed: clock and leakage; what is left of 27 pJ, 30 mW a core at peak at 1.1 GHz (Hot Chips 34), after a slot of 4 fp16 FMACs (3 pJ) and its 6 words of SRAM (22.5 pJ)',
    'energy.joulesPerComputeSlot':
      'assumed: 1 pJ for the instruction and 4 fp16 products (0.34 pJ each) and sums (0.16 pJ), for 7 nm from Jouppi et al., ISCA 2021, Table 2',
    'energy.joulesPerOverheadSlot': 'assumed: 1 pJ for the instruction',
    'energy.joulesPerReduceSlot': 'assumed: 1 pJ for the instruction and 2 fp16 sums (0.16 pJ, Jouppi et al.)',
    'energy.joulesPerSramWord': 'Jouppi et al., ISCA 2021, Table 2: 7.5 pJ for 64 bits of an 8 KB SRAM in 7 nm',
    'energy.joulesPerBitHop': 'Hot Chips 34: 0.15 pJ a bit on wafer',
    'energy.joulesPerEdgeWord': 'assumed: 10 pJ a bit for serial links off the wafer',
  },
};

/** Sources of the energies of another wafer of the same cores, whose process differs. */
export function unknownEnergy(difference: string): Record<string, string> {
  const paths = Object.keys(wse2.machine.energy).map((key) => `energy.${key}`);
  return Object.fromEntries(paths.map((path) => [path, `assumed: as WSE-2, in 7 nm; ${difference}`]));
}
