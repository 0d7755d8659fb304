// The machine file: every constant of the emulated machine, with its unit. What each one does is docs/machine.md; where
// its number comes from is said, field by field, in the preset that sets it (presets/).

import { z } from 'zod';

const count = (what: string) => z.int().min(1).describe(what);
const countOrZero = (what: string) => z.int().min(0).describe(what);
const positive = (what: string) => z.number().positive().describe(what);

const joules = (what: string) => z.number().min(0).describe(what);

const fabric = z.strictObject({
  width: count('columns of PEs'),
  height: count('rows of PEs'),
  colors: count('colors a router knows'),
  routerBuffer: count('wavelets a router buffer holds, one buffer for each color routed'),
  rampLatency: count('cycles between a router and its core'),
  creditLatency: count('cycles until a freed buffer entry is known to the sender'),
});

const core = z.strictObject({
  inputQueue: count('wavelets, for each color received'),
  outputQueue: count('wavelets, for each color sent, in flight ones included'),
  resultLatency: countOrZero('cycles from issue to result'),
  microthreads: count('threads beside the main thread'),
  simdFp16: count('fp16 multiply-adds a slot'),
  simdFp16ToFp32: count('fp16 products accumulated in fp32 a slot'),
  simdFp32Add: count('fp32 additions a slot'),
  simdFp32: count('fp32 multiply-adds a slot'),
  axpyOverhead: countOrZero('slots a streamed weight costs before its elements'),
  controlSlots: count('slots a control wavelet costs'),
  kernelStart: countOrZero('cycles to start a kernel by software'),
  expOps: count('vector instructions of one exponential'),
  geluOps: count('vector instructions of one GELU'),
  siluOps: count('vector instructions of one SiLU'),
  reciprocalOps: count('vector instructions of one reciprocal'),
  rsqrtOps: count('vector instructions of one reciprocal square root'),
});

const memory = z.strictObject({
  sramBytes: count('bytes of SRAM a PE'),
  reservedBytes: countOrZero('bytes a PE keeps for code and queues'),
  bankConflict: z
    .number()
    .min(1)
    .max(64)
    .describe('factor on the slots of a multiply-add whose operands meet in a bank; 1: laid out so that none do'),
});

const edge = z.strictObject({
  bitsPerSecond: positive('bits a second over the edge of the wafer, all streams together'),
});

const energy = z.strictObject({
  joulesPerCycle: joules('joules a PE takes in every cycle, whatever it does'),
  joulesPerComputeSlot: joules('joules a slot of vector work takes on top of that, SRAM aside'),
  joulesPerOverheadSlot: joules('joules a slot of overhead takes on top of that'),
  joulesPerReduceSlot: joules('joules a slot of reduction takes on top of that, SRAM aside'),
  joulesPerSramWord: joules('joules a word of 32 bits takes to or from SRAM'),
  joulesPerBitHop: joules('joules a bit takes from router to router'),
  joulesPerEdgeWord: joules('joules a word of 32 bits takes over the edge of the wafer'),
});

export const machineSchema = z.strictObject({
  name: z.string().describe('what reports call it'),
  clockHz: positive('cycles a second'),
  fabric,
  core,
  memory,
  edge,
  energy,
});

export type Machine = z.infer<typeof machineSchema>;

/** What a preset is: the numbers, and for each number (by its path, e.g. `core.inputQueue`) where it comes from. */
export interface MachinePreset {
  readonly machine: Machine;
  readonly sources: Readonly<Record<string, string>>;
}

/** The timing constants that an engine needs; all in cycles or wavelets. */
export interface Latencies {
  readonly rampLatency: number;
  readonly routerBuffer: number;
  readonly inputQueue: number;
  readonly outputQueue: number;
  readonly creditLatency: number;
  readonly resultLatency: number;
}

export function latenciesOf(machine: Machine): Latencies {
  const { rampLatency, routerBuffer, creditLatency } = machine.fabric;
  const { inputQueue, outputQueue, resultLatency } = machine.core;
  return { rampLatency, routerBuffer, inputQueue, outputQueue, creditLatency, resultLatency };
}

/** Wavelets (32 bits) that the edge passes in a cycle, all streams together; whole wavelets. */
export function edgeWaveletsPerCycle(machine: Machine): number {
  return Math.floor(machine.edge.bitsPerSecond / 32 / machine.clockHz);
}

/**
 * The machine as its cores run: where operands meet in a bank, every vector instruction takes bankConflict times the
 * slots, which is to say that it works on as many times fewer elements a slot.
 */
export function withBankConflicts(machine: Machine): Machine {
  const { bankConflict } = machine.memory;
  if (bankConflict === 1) return machine;
  const { simdFp16, simdFp16ToFp32, simdFp32Add, simdFp32 } = machine.core;
  const core = {
    ...machine.core,
    simdFp16: simdFp16 / bankConflict,
    simdFp16ToFp32: simdFp16ToFp32 / bankConflict,
    simdFp32Add: simdFp32Add / bankConflict,
    simdFp32: simdFp32 / bankConflict,
  };
  return { ...machine, core, memory: { ...machine.memory, bankConflict: 1 } };
}
